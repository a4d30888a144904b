/** How long a call has lasted, ticking by itself: `since` and `until` in ms since 1970, absent until then. */
const pad = (number) => String(number).padStart(2, "0");

export default {
  template: `<span role="timer" class="call-clock">{{ since ? text : "" }}</span>`,
  props: { since: Number, until: Number },

  data() {
    return { now: Date.now() };
  },

  computed: {
    seconds() {
      return Math.max(0, Math.floor(((this.until || this.now) - this.since) / 1000));
    },
    text() {
      const [hours, minutes, seconds] = [Math.floor(this.seconds / 3600), Math.floor(this.seconds / 60) % 60, this.seconds % 60];
      return hours ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`;
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
