/**
 * A form whose press is told to the server once: not while one is under way, not from a held key, not without a connection. `send` carries
 * its fields by name and, under `press`, the name of the button; `settle` makes it ready again, and empty where `done` says so.
 */
import { Press } from "press";

export default {
  template: `
    <form class="send-form" novalidate :aria-busy="String(busy)" @submit.prevent="press" @keydown.enter="held">
      <fieldset :disabled="busy || disabled"><slot></slot></fieldset>
      <p v-if="refused" class="problem" role="alert">{{ offline }}</p>
    </form>`,
  props: { offline: String, disabled: Boolean },
  emits: ["send"],

  data() {
    return { busy: false, refused: false };
  },

  created() {
    this.pressed = null;
  },

  methods: {
    held(event) {
      if (event.repeat) event.preventDefault();
    },

    press(event) {
      if (this.busy || this.disabled) return;
      this.refused = !window.socket?.connected;
      if (this.refused) return;
      this.pressed = new Press();
      const fields = Object.fromEntries(new FormData(this.$el)); // before the fieldset is disabled, and its fields with it
      this.busy = true;
      this.$emit("send", { ...fields, press: event.submitter?.name ?? "" });
    },

    /** Seconds since the press; nothing before the first. */
    age() {
      return this.pressed?.age() ?? null;
    },

    settle(done) {
      this.busy = false;
      if (done) this.$el.reset();
      this.$nextTick(() => this.pressed?.refocus());
    },
  },
};
