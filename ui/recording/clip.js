/**
 * A clip of a recording: from when until when, and where to save it. The replay sets both ends too, with keys.
 *
 * @typedef {{from: number, to: number}} Clip in seconds
 */
import { fill } from "fill";
import { lasting } from "times";
import { defineComponent } from "vue";

export const ClipBar = defineComponent({
  template: `
    <div class="replay-clip-bar" role="group" :aria-label="words.clip" data-testid="clip">
      <label v-for="end in ['from', 'to']" :key="end">
        <span>{{ words["clip_" + end] }}</span>
        <input type="number" min="0" :max="seconds" step="0.1" :value="clip[end]" :data-testid="'clip-' + end"
          @change="set(end, $event.target.valueAsNumber)" />
        <button type="button" class="btn small" @click="set(end, time)">{{ words["clip_here_" + end] }}</button>
      </label>
      <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
      <template v-else>
        <a v-for="form in ['flac', 'wav']" :key="form" class="btn small" :href="address(form)" download>
          {{ words["clip_" + form] }}
        </a>
      </template>
    </div>`,
  props: {
    clip: { type: /** @type {import("vue").PropType<Clip>} */ (Object), required: true },
    time: { type: Number, required: true },
    seconds: { type: Number, required: true },
    /** Where parts of the recording begin, which no clip can cross. */
    seams: { type: /** @type {import("vue").PropType<number[]>} */ (Array), required: true },
    longest: { type: Number, required: true },
    base: { type: String, required: true },
    words: { type: Object, required: true },
  },
  emits: ["set"],

  computed: {
    /** @returns {string} why this is no clip */
    problem() {
      const { from, to } = this.clip;
      const seam = this.seams.find((at) => from < at && at < to);
      if (from >= to) return this.words.clip_order;
      if (to - from > this.longest) return fill(this.words.clip_long, { minutes: Math.floor(this.longest / 60) });
      return seam === undefined ? "" : fill(this.words.clip_parts, { time: lasting(seam) });
    },
  },

  methods: {
    /**
     * @param {"from"|"to"} end
     * @param {number} time
     */
    set(end, time) {
      if (Number.isFinite(time)) this.$emit("set", end, time);
    },

    /** @param {string} form */
    address(form) {
      return `${this.base}/clip.${form}?from=${this.clip.from}&to=${this.clip.to}`;
    },
  },
});
