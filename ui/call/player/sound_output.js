/**
 * Where the sound goes and how loud both speakers are: the sound device, where the browser lets one choose, and the automatic gain. Emits
 * `device` with an id, "" for the system's own, and `auto-gain` with true or false. `devices`: `LivePlayout.devices`.
 *
 * @typedef {import("../../../assets/output_device.js").Device} Device
 */
import { recall, remember } from "remembered";
import { defineComponent } from "vue";

/** @returns {boolean} */
export function recallAutoGain() {
  return recall("auto-gain") !== "off";
}

/** @returns {string} the id of the device; "": the system's own */
export function recallDevice() {
  return recall("device");
}

export const SoundOutput = defineComponent({
  template: `
    <div class="sound-output">
      <label v-if="canChoose && (asked || known.length)" class="heard-as">
        <span>{{ words.output }}</span>
        <select data-testid="output-device" @change="choose($event.target.value)">
          <option value="">{{ words.systemDevice }}</option>
          <option v-for="{ id, label } in known" :key="id" :value="id" :selected="id === device">{{ label }}</option>
        </select>
      </label>
      <div v-else-if="canChoose" class="heard-as">
        <span>{{ words.output }}<small v-if="!canPick">{{ words.outputMeans }}</small></span>
        <button type="button" class="btn" data-testid="show-devices" @click="ask">{{ words.chooseDevice }}</button>
      </div>
      <label class="stay-live">
        <input type="checkbox" data-testid="auto-gain" :checked="autoGain" @change="level($event.target.checked)" />
        <span>{{ words.autoGain }}<small>{{ words.autoGainMeans }}</small></span>
      </label>
    </div>`,
  props: {
    words: { type: Object, required: true },
    devices: { type: /** @type {import("vue").PropType<() => Promise<typeof import("../../../assets/output_device.js")>>} */ (Function) },
  },
  emits: ["device", "auto-gain"],

  data() {
    return {
      canChoose: false,
      canPick: false,
      asked: false, // the user was asked, whatever the answer
      known: /** @type {Device[]} */ ([]),
      device: recallDevice(),
      autoGain: recallAutoGain(),
    };
  },

  async mounted() {
    const module = await this.devices?.();
    if (!module?.canChoose) return;
    this.canChoose = true;
    this.canPick = module.canPick;
    navigator.mediaDevices.addEventListener("devicechange", this.list);
    await this.list();
  },

  beforeUnmount() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.list);
  },

  methods: {
    async list() {
      const module = await this.devices?.();
      if (module) this.known = await module.known();
    },

    /** Call it in the user's click. */
    async ask() {
      try {
        const module = await this.devices?.();
        const picked = await module?.ask();
        await this.list();
        if (picked) this.choose(picked);
      } catch (error) {
        console.info("No sound device was chosen:", error); // refused, or the browser's question was closed
        await this.list();
        return;
      }
      this.asked = true;
    },

    /** @param {string} id */
    choose(id) {
      this.device = id;
      remember("device", id);
      this.$emit("device", id);
    },

    /** @param {boolean} on */
    level(on) {
      this.autoGain = on;
      remember("auto-gain", on ? "" : "off");
      this.$emit("auto-gain", on);
    },
  },
});
