/**
 * A clip of a recording: from when until when, and where to save it. The replay sets both ends too, with keys.
 *
 * @typedef {{from: number, to: number}} Clip in seconds
 * @typedef {"from"|"to"} End
 */
import { fill } from "fill";
import { lasting } from "times";
import { defineComponent } from "vue";

const CLIP_S = 10; // of a new clip, until its end is set

/** @type {Record<string, End>} the keys that editors have for this: `i` begins a clip where it plays, `o` ends it there */
const KEYS = { i: "from", o: "to" };

/** @param {number} time in seconds */
const tenth = (time) => Math.round(10 * time) / 10;

/**
 * A clip that begins at `time`, of a recording of so many seconds.
 *
 * @param {number} time
 * @param {number} seconds
 */
export function newClip(time, seconds) {
  const from = Math.min(time, Math.max(0, seconds - 1));
  return { from: tenth(from), to: tenth(Math.min(seconds, from + CLIP_S)) };
}

/**
 * @param {Clip} clip
 * @param {End} end
 * @param {number} time
 * @param {number} seconds of the recording
 */
export function withEnd(clip, end, time, seconds) {
  return { ...clip, [end]: tenth(Math.min(seconds, Math.max(0, time))) };
}

/**
 * Which end a key sets; null if none.
 *
 * @param {KeyboardEvent} event
 */
export function endOfKey({ key, ctrlKey, metaKey, altKey, target }) {
  return ctrlKey || metaKey || altKey || target instanceof HTMLInputElement ? null : (KEYS[key] ?? null);
}

/**
 * Its place on the wave, as a style.
 *
 * @param {Clip} clip
 * @param {number} seconds of the recording
 */
export function span({ from, to }, seconds) {
  return { left: `${(100 * from) / seconds}%`, width: `${(100 * Math.max(0, to - from)) / seconds}%` };
}

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
     * @param {End} end
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
