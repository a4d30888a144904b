/** What was said in a recording. The line that is spoken stays in sight, unless a reader has just looked elsewhere; a press seeks to a line. */
import { lasting } from "times";

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const LEFT_ALONE = 4000; // ms after a reader scrolled in which it does not follow

export const ReplayLines = {
  template: `
    <ol class="replay-lines" :aria-label="words.transcript" @wheel.passive="leave" @touchmove.passive="leave">
      <li v-for="(line, k) in lines" :key="k" :class="line.speaker">
        <button type="button" :aria-current="k === current ? 'true' : null" @click="$emit('seek', line.at)">
          <small>{{ words[line.speaker] ?? line.speaker }} {{ lasting(line.at) }}</small>{{ line.text }}
        </button>
      </li>
    </ol>`,
  props: { lines: Array, current: Number, words: Object },
  emits: ["seek"],

  created() {
    this.rejoin();
  },

  watch: {
    current: { handler: "follow", flush: "post" },
  },

  methods: {
    lasting,

    leave() {
      this.leftAt = performance.now();
    },

    /** Follows again from here on. */
    rejoin() {
      this.leftAt = -Infinity;
    },

    follow() {
      const list = this.$el;
      const line = list.children[this.current];
      if (!line || performance.now() - this.leftAt < LEFT_ALONE) return;
      const top = line.offsetTop - list.offsetTop - (list.clientHeight - line.clientHeight) / 2;
      list.scrollTo({ top, behavior: stillness.matches ? "auto" : "smooth" });
    },
  },
};
