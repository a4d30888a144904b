/**
 * A form that sends each press once: not while one is pending, not from a held key, not without a connection. `send` carries the fields by
 * name and, under `press`, the name of the button. `settle` makes it ready again, and empties it if `done`.
 */
import { Press } from "press";
import { defineComponent } from "vue";

export default defineComponent({
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

  setup() {
    return { pressed: /** @type {Press|null} */ (null) };
  },

  methods: {
    /** @param {KeyboardEvent} event */
    held(event) {
      if (event.repeat) event.preventDefault();
    },

    /** @param {SubmitEvent} event */
    press(event) {
      if (this.busy || this.disabled) return;
      this.refused = !window.socket?.connected;
      if (this.refused) return;
      this.pressed = new Press();
      const fields = Object.fromEntries(new FormData(this.$el)); // before the fieldset is disabled, and its fields with it
      this.busy = true;
      this.$emit("send", { ...fields, press: event.submitter?.getAttribute("name") ?? "" });
    },

    /** Seconds since the press; null before the first. */
    age() {
      return this.pressed?.age() ?? null;
    },

    /** @param {boolean} done */
    settle(done) {
      this.busy = false;
      if (done) this.$el.reset();
      this.$nextTick(() => this.pressed?.refocus());
    },
  },
});
