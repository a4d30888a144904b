/** The transcript of a recording. Scrolls to the line being spoken, unless the reader has just scrolled; a click on a line seeks to it. */
import { lasting } from "times";
import { defineComponent } from "vue";

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const LEFT_ALONE_MS = 4000; // does not follow for this long after the reader scrolled: about a sentence

/** @typedef {{at: number, speaker: string, text: string}} Line `at` in seconds from the beginning */

export const ReplayLines = defineComponent({
  template: `
    <ol class="replay-lines" :aria-label="words.transcript" @wheel.passive="leave" @touchmove.passive="leave">
      <li v-for="(line, k) in lines" :key="k" :class="line.speaker">
        <button type="button" :aria-current="k === current ? 'true' : null" @click="$emit('seek', line.at)">
          <small>{{ words[line.speaker] ?? line.speaker }} {{ lasting(line.at) }}<span v-if="figures[k]" class="turn-figure">{{ figures[k] }}</span></small>{{ line.text }}
        </button>
      </li>
    </ol>`,
  props: {
    lines: { type: /** @type {import("vue").PropType<Line[]>} */ (Array), required: true },
    /** What was measured of the turns that lines begin, by their places. */
    figures: { type: /** @type {import("vue").PropType<Record<number, string>>} */ (Object), required: true },
    current: { type: Number, required: true },
    words: { type: Object, required: true },
  },
  emits: ["seek"],

  setup() {
    return { scrolledAt: -Infinity };
  },

  watch: {
    current: { handler: "follow", flush: "post" },
  },

  methods: {
    lasting,

    leave() {
      this.scrolledAt = performance.now();
    },

    /** Follows again at once. */
    rejoin() {
      this.scrolledAt = -Infinity;
    },

    follow() {
      const list = this.$el;
      const line = list.children[this.current];
      if (!line || performance.now() - this.scrolledAt < LEFT_ALONE_MS) return;
      const top = line.offsetTop - list.offsetTop - (list.clientHeight - line.clientHeight) / 2;
      list.scrollTo({ top, behavior: reducedMotion.matches ? "auto" : "smooth" });
    },
  },
});
