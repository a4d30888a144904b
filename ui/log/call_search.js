/**
 * A search form that submits itself shortly after a change, or when told to. `initial` has values for its fields. Days become moments here, because only the browser knows when the reader's day
 * begins.
 */
import { defineComponent } from "vue";

const TYPING_PAUSE_MS = 250; // longer than between two keys of a slow typist's word, short enough to feel immediate

export default defineComponent({
  template: `<form class="call-search" role="search" @submit.prevent="tell" @input="soon"><slot></slot></form>`,
  props: { initial: Object },
  emits: ["wanted"],

  setup() {
    return { waiting: 0 };
  },

  mounted() {
    if (!this.initial) return;
    for (const [name, value] of Object.entries(this.initial)) {
      const field = this.$el.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
    }
    this.$el.scrollIntoView({ block: "nearest" });
  },

  beforeUnmount() {
    clearTimeout(this.waiting);
  },

  methods: {
    soon() {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.tell(), TYPING_PAUSE_MS);
    },

    tell() {
      clearTimeout(this.waiting);
      const { search, family, from, to } = Object.fromEntries(/** @type {Iterable<[string, string]>} */ (new FormData(this.$el)));
      this.$emit("wanted", { search, family, from: this.midnight(from, 0), to: this.midnight(to, 1) });
    },

    /**
     * The reader's midnight at the beginning of a day, in ms since 1970; null without a day.
     * @param {string} day YYYY-MM-DD
     * @param {number} later days after it
     */
    midnight(day, later) {
      if (!day) return null;
      const [year, month, date] = day.split("-").map(Number);
      return new Date(year, month - 1, date + later).getTime();
    },
  },
});
