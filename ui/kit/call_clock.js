/**
 * How long a call has lasted, counted by the browser. `since`, `until`: ms since 1970; absent while the call has not begun, or not ended.
 * With `titled`, time and that text name the tab: a supervisor who works in another one sees how the call goes.
 */
import { lasting } from "times";
import { defineComponent } from "vue";

export default defineComponent({
  template: `<span role="timer" class="call-clock">{{ since ? text : "" }}</span>`,
  props: { since: { type: Number, default: 0 }, until: { type: Number, default: 0 }, titled: { type: String, default: "" } },

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
    titled: "name",
  },

  mounted() {
    this.tick();
  },

  beforeUnmount() {
    clearTimeout(this.timer);
    if (this.titled) document.title = "Earshot";
  },

  methods: {
    name() {
      if (this.titled) document.title = this.since && !this.until ? `${this.text} ${this.titled}` : this.titled;
    },

    tick() {
      clearTimeout(this.timer);
      this.now = Date.now();
      this.name();
      if (this.since && !this.until) this.timer = setTimeout(() => this.tick(), 1000 - ((((this.now - this.since) % 1000) + 1000) % 1000));
    },
  },
});
