/**
 * How long a call has lasted, counted by the browser. `since`, `until`: ms since 1970; absent while the call has not begun, or not ended.
 * With `who`, the tab is named after the call: its `state`, its time, and who it is.
 */
import { nameTab } from "tab_title";
import { lasting } from "times";
import { defineComponent } from "vue";

export default defineComponent({
  template: `<span role="timer" class="call-clock">{{ since ? text : "" }}</span>`,
  props: {
    since: { type: Number, default: 0 },
    until: { type: Number, default: 0 },
    who: { type: String, default: "" },
    state: { type: String, default: "" },
  },

  setup() {
    return { timer: 0 };
  },

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
    who: "name",
    state: "name",
  },

  mounted() {
    this.tick();
  },

  beforeUnmount() {
    clearTimeout(this.timer);
    if (this.who) nameTab({ state: "", clock: "", who: "" });
  },

  methods: {
    name() {
      if (this.who) nameTab({ state: this.state, clock: this.since && !this.until ? this.text : "", who: this.who });
    },

    tick() {
      clearTimeout(this.timer);
      this.now = Date.now();
      this.name();
      if (this.since && !this.until) this.timer = setTimeout(() => this.tick(), 1000 - ((((this.now - this.since) % 1000) + 1000) % 1000));
    },
  },
});
