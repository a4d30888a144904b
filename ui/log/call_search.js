/** A form that tells what is wanted a moment after it changes. Days become moments here: only the browser knows when the reader's day begins. */
const PAUSE = 250; // ms without a key after which a word counts as typed

export default {
  template: `<form class="call-search" role="search" @submit.prevent="tell" @input="soon"><slot></slot></form>`,
  emits: ["wanted"],

  beforeUnmount() {
    clearTimeout(this.waiting);
  },

  methods: {
    soon() {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.tell(), PAUSE);
    },

    tell() {
      clearTimeout(this.waiting);
      const { search, family, from, to } = Object.fromEntries(new FormData(this.$el));
      this.$emit("wanted", { search, family, from: this.midnight(from, 0), to: this.midnight(to, 1) });
    },

    /** The reader's midnight at the beginning of a day, or `later` days after it, in ms since 1970. */
    midnight(day, later) {
      if (!day) return null;
      const [year, month, date] = day.split("-").map(Number);
      return new Date(year, month - 1, date + later).getTime();
    },
  },
};
