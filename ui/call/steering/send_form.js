/**
 * A form that sends each press once: not while one is pending, not from a held key, not without a connection. `send` carries the fields by
 * name and, under `press`, the name of the button and under `clocks` those of the press. `settle` makes it ready again, and empties it if `done`. What is typed is kept under
 * `draft`, if that is given, until it is sent.
 */
import { Press } from "press";
import { defineComponent } from "vue";

/** @type {Map<string, Record<string, string>>} what was typed and not sent, by `draft`: it outlives the form, but not the tab */
const drafts = new Map();
const MAX_DRAFTS = 50;

export default defineComponent({
  template: `
    <form class="send-form" novalidate :aria-busy="String(busy)" @submit.prevent="press" @keydown.enter="held" @input="keep">
      <fieldset :disabled="busy || disabled"><slot></slot></fieldset>
      <p v-if="refused" class="problem" role="alert">{{ offline }}</p>
    </form>`,
  props: { offline: String, disabled: Boolean, draft: { type: String, default: "" } },
  emits: ["send"],

  data() {
    return { busy: false, refused: false };
  },

  setup() {
    return { pressed: /** @type {Press|null} */ (null) };
  },

  mounted() {
    for (const [name, text] of Object.entries(drafts.get(this.draft) ?? {})) {
      const field = this.$el.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = text;
    }
  },

  methods: {
    /** Keeps what is typed, so that it is there again when the call is shown again. */
    keep() {
      if (!this.draft) return;
      const texts = [...this.$el.querySelectorAll("input[type=text]")].filter((field) => field.value);
      drafts.delete(this.draft);
      if (!texts.length) return;
      drafts.set(this.draft, Object.fromEntries(texts.map((field) => [field.name, field.value])));
      if (drafts.size > MAX_DRAFTS) drafts.delete(drafts.keys().next().value ?? "");
    },

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
      drafts.delete(this.draft); // sent words must not be there again if the call is left before the answer
      this.$emit("send", { ...fields, press: event.submitter?.getAttribute("name") ?? "", clocks: this.pressed.clocks });
    },

    /** @param {boolean} done */
    settle(done) {
      this.busy = false;
      if (done) this.$el.reset();
      else this.keep();
      this.$nextTick(() => this.pressed?.refocus());
    },
  },
});
