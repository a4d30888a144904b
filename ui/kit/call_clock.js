/** How long a call has lasted, ticking by itself: `since` and `until` in ms since 1970, absent until then. */
import { lasting } from "times";

export default {
  template: `<span role="timer" class="call-clock">{{ since ? text : "" }}</span>`,
  props: { since: Number, until: Number },

  data() {
    return { now: Date.now() };
  },

  computed: {
    text() {
      return lasting(((this.until || this.now) - this.since) / 1000);
    },
  },

  watch: {
    since: "tick",
    until: "tick",
  },

  mounted() {
    this.tick();
  },

  beforeUnmount() {
    clearTimeout(this.timer);
  },

  methods: {
    tick() {
      clearTimeout(this.timer);
      this.now = Date.now();
      if (this.since && !this.until) this.timer = setTimeout(() => this.tick(), 1000 - ((((this.now - this.since) % 1000) + 1000) % 1000));
    },
  },
};
