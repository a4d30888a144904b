/**
 * The dialog of rules: a form for one, which can be tried against past calls, and the list with a switch for each. Opened by the event
 * `earshot-rules`. The server checks and stores what is entered; `show` passes the list, `tried` what a trial found.
 *
 * @typedef {object} Rule
 * @property {string} id
 * @property {string} sentence what it looks for
 * @property {string} kind
 * @property {string} phrase
 * @property {string} speaker
 * @property {number|null} above
 * @property {string[]} effects
 * @property {boolean} on
 *
 * @typedef {{name: string, unit: string, range: [number, number]|null, speaker: boolean}} Kind a kind with a range has a number, others a phrase
 * @typedef {{href: string, who: string, at: number|null, what: string}} Match
 * @typedef {{said?: string, problem?: string, calls?: Match[]}} Trial
 */
import { brief } from "times";
import { defineComponent } from "vue";

const USUAL = "keyword";

export default defineComponent({
  template: `
    <dialog ref="dialog" class="dialog rules" data-testid="rules-dialog" :aria-label="words.title" @click.self="close">
      <h2>{{ words.title }}</h2>
      <p class="rules-explained">{{ words.explained }}</p>
      <form class="rule-form" @submit.prevent="save">
        <label><span>{{ words.kind }}</span>
          <select ref="kind" v-model="kind" class="line" name="kind"><option v-for="(one, value) in kinds" :key="value" :value="value">{{ one.name }}</option></select>
        </label>
        <label v-if="range"><span>{{ words.above }}</span>
          <span class="rule-number"><input v-model.number="above" class="line" name="above" type="number" step="any" required
            :min="range[0]" :max="range[1]"><span>{{ kinds[kind].unit }}</span></span>
        </label>
        <label v-else><span>{{ words.phrase }}</span>
          <input v-model="phrase" class="line" name="phrase" autocomplete="off" required :maxlength="longest">
        </label>
        <label v-if="kinds[kind].speaker"><span>{{ words.speaker }}</span>
          <select v-model="speaker" class="line" name="speaker"><option v-for="(name, value) in speakers" :key="value" :value="value">{{ name }}</option></select>
        </label>
        <fieldset>
          <legend>{{ words.effects }}</legend>
          <label v-for="(name, value) in effects" :key="value"><input v-model="chosen" type="checkbox" :value="value"><span>{{ name }}</span></label>
        </fieldset>
        <div class="rule-buttons">
          <button type="button" class="btn small" :disabled="trying" data-testid="rule-try" @click="attempt">{{ trying ? words.trying : words.try }}</button>
          <button type="submit" class="btn small" data-testid="rule-save">{{ id ? words.change : words.add }}</button>
          <button v-if="id" type="button" class="btn small" @click="clear">{{ words.cancel }}</button>
        </div>
      </form>
      <div class="tried" role="status" data-testid="rule-tried">
        <p v-if="trial && trial.said">{{ trial.said }}</p>
        <ul v-if="trial && trial.calls && trial.calls.length">
          <li v-for="call in trial.calls" :key="call.href">
            <a :href="call.href" target="_blank">{{ call.who }}</a> <small v-if="call.at">{{ brief(call.at) }}</small> <span dir="auto">{{ call.what }}</span>
          </li>
        </ul>
      </div>
      <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
      <p v-if="told" class="told" role="status">{{ told }}</p>
      <ul v-if="rules.length" class="rule-list">
        <li v-for="rule in rules" :key="rule.id" :data-rule="rule.id">
          <label><input type="checkbox" role="switch" :checked="rule.on" :aria-label="words.on + ': ' + rule.sentence"
            @change="turn(rule, $event)"><span dir="auto">{{ rule.sentence }}</span></label>
          <button type="button" class="btn small" :aria-label="words.edit + ': ' + rule.sentence" @click="edit(rule)">{{ words.edit }}</button>
          <button type="button" class="btn small" :class="{ end: sure === rule.id }" :aria-label="label(rule)" @click="remove(rule, $event)"
            @blur="sure = ''">{{ sure === rule.id ? words.sure : words.remove }}</button>
        </li>
      </ul>
      <p v-else class="nothing">{{ words.none }}</p>
      <form method="dialog" class="answers"><button class="btn">{{ words.close }}</button></form>
    </dialog>`,
  props: {
    words: { type: Object, required: true },
    kinds: { type: /** @type {import("vue").PropType<Record<string, Kind>>} */ (Object), required: true },
    speakers: { type: Object, required: true },
    effects: { type: /** @type {import("vue").PropType<Record<string, string>>} */ (Object), required: true },
    longest: { type: Number, required: true },
  },
  emits: ["opened", "save", "switch", "remove", "try"],

  data() {
    return {
      rules: /** @type {Rule[]} */ ([]),
      ...blank(Object.keys(this.effects)),
      trial: /** @type {Trial|null} */ (null),
      trying: false,
      sure: "", // the rule that is to be deleted, once it is pressed again
      problem: "",
      told: "",
    };
  },

  computed: {
    /** @returns {[number, number]|null} */
    range() {
      return this.kinds[this.kind].range;
    },
  },

  watch: {
    kind() {
      this.trial = null;
    },
  },

  mounted() {
    document.addEventListener("earshot-rules", this.open);
  },

  beforeUnmount() {
    document.removeEventListener("earshot-rules", this.open);
  },

  methods: {
    brief,

    open() {
      this.clear();
      this.told = this.sure = "";
      this.$emit("opened");
      /** @type {HTMLDialogElement} */ (this.$refs.dialog).showModal();
      this.focusForm();
    },

    close() {
      /** @type {HTMLDialogElement} */ (this.$refs.dialog).close();
    },

    focusForm() {
      /** @type {HTMLElement} */ (this.$refs.kind).focus();
    },

    clear() {
      Object.assign(this, blank(Object.keys(this.effects)), { trial: null, problem: "" });
    },

    /**
     * What the server has now, and what it says about the last request.
     * @param {Rule[]} rules
     * @param {{problem?: string, told?: string}} [answer]
     */
    show(rules, { problem = "", told = "" } = {}) {
      this.rules = rules;
      if (told) this.clear();
      if (told || problem) Object.assign(this, { told, problem });
    },

    /** @param {Trial} trial */
    tried(trial) {
      this.trying = false;
      this.trial = trial;
      this.problem = trial.problem ?? "";
    },

    given() {
      const { id, kind, phrase, speaker, above, chosen } = this;
      return { id, kind, phrase, speaker, above: typeof above === "number" ? above : null, effects: chosen };
    },

    save() {
      this.told = this.problem = "";
      this.$emit("save", this.given());
    },

    attempt() {
      const form = /** @type {HTMLElement} */ (this.$refs.kind).closest("form");
      if (!form?.reportValidity()) return;
      this.told = this.problem = "";
      this.trial = null;
      this.trying = true;
      this.$emit("try", this.given());
    },

    /** @param {Rule} rule */
    edit({ id, kind, phrase, speaker, above, effects }) {
      Object.assign(this, { id, kind, phrase, speaker, above, chosen: [...effects], problem: "", told: "", trial: null });
      this.focusForm();
    },

    /**
     * @param {Rule} rule
     * @param {Event} event
     */
    turn(rule, event) {
      const on = /** @type {HTMLInputElement} */ (event.target).checked;
      this.told = this.problem = "";
      // Browsers allow to ask only in answer to a press, and now somebody wants to be notified.
      if (on && rule.effects.includes("notification") && "Notification" in globalThis && Notification.permission === "default")
        Notification.requestPermission();
      this.$emit("switch", { id: rule.id, on });
    },

    /** @param {Rule} rule */
    label(rule) {
      return `${this.sure === rule.id ? this.words.sure : this.words.remove}: ${rule.sentence}`;
    },

    /** @param {Rule} rule @param {MouseEvent} event */
    remove({ id }, { detail }) {
      if (detail > 1) return; // a double click is one press
      if (this.sure === id) {
        this.sure = "";
        this.$emit("remove", id);
      } else {
        this.sure = id;
      }
    },
  },
});

/** @param {string[]} effects */
function blank(effects) {
  return {
    id: "", // of the rule that is being changed
    kind: USUAL,
    phrase: "",
    speaker: "customer",
    above: /** @type {number|string|null} */ (null),
    chosen: effects,
  };
}
