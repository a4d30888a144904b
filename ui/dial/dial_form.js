/**
 * A form around one number field. It groups digits as they are typed, and lets a press of Call through once, at once, or not at all: not
 * while one is under way, not from a held key, not without a connection. How old a press is when the server hears of it, `age` tells.
 */
import { Press } from "press";

const DOUBLE_PRESS = 1500; // ms after a press within which another is a slip of the finger

const digits = (text) => text.replace(/\D/g, "").replace(/^00/, "");

export default {
  template: `
    <form class="dial-form" novalidate @submit.prevent="press" @keydown.enter="held" @input="typed" @focusout="left"
      @paste="paste" @change="chosen">
      <slot></slot>
      <fieldset :disabled="dialling || disabled"><slot name="actions"></slot></fieldset>
      <p v-if="refused" class="problem" role="alert">{{ offline }}</p>
    </form>`,
  props: { initial: String, shape: Object, offline: String, disabled: Boolean },
  emits: ["typed", "pasted", "chosen", "left", "dial"],

  data() {
    return { dialling: false, refused: false };
  },

  created() {
    this.pressed = null;
  },

  mounted() {
    this.field = this.$el.querySelector("input");
    if (this.initial) this.field.value = this.initial;
  },

  watch: {
    shape({ of, text, pasted }) {
      const { field } = this;
      if (pasted && field.value === of.slice(0, field.maxLength)) return this.put(text);
      const asTyped = field.value === of && field.selectionStart === of.length && !this.composing;
      const regrows = this.deleting && text.length > of.length; // a separator that comes back could not be deleted
      if (!asTyped || regrows || text === of || digits(text) !== digits(of)) return;
      this.put(text);
    },
  },

  methods: {
    put(text) {
      this.field.value = text;
      this.field.setSelectionRange(text.length, text.length);
    },

    typed(event) {
      if (event.target !== this.field) return;
      this.refused = false;
      this.deleting = event.inputType?.startsWith("delete") ?? false;
      this.composing = event.isComposing ?? false;
      this.$emit("typed", this.field.value);
    },

    /** A number that is pasted over the whole field may be written in any way, and be longer than the field. */
    paste(event) {
      const { field } = this;
      if (event.target !== field || field.selectionEnd - field.selectionStart < field.value.length) return;
      const text = event.clipboardData.getData("text").trim();
      event.preventDefault();
      this.refused = false;
      this.put(text.slice(0, field.maxLength));
      this.$emit("pasted", text);
    },

    picked() {
      const fields = new FormData(this.$el);
      return { assistant: fields.get("assistant"), caller_id: fields.get("caller-id") };
    },

    chosen(event) {
      if (event.target.tagName === "SELECT") this.$emit("chosen", this.picked());
    },

    left(event) {
      const toPress = event.relatedTarget?.matches(":active"); // a sentence that comes now could move the button from under the finger
      if (event.target === this.field && !toPress) this.$emit("left", this.field.value);
    },

    held(event) {
      if (event.repeat) event.preventDefault();
    },

    press(event) {
      if (this.dialling || this.disabled) return;
      globalThis.LivePlayout?.unlock(); // browsers allow sound only from within the press itself
      if (!window.socket?.connected) {
        this.refused = true;
        return;
      }
      this.refused = false;
      this.dialling = true;
      this.pressed = new Press();
      const fields = new FormData(this.$el);
      this.$emit("dial", {
        ...this.picked(),
        text: this.field.value,
        confirmed: event.submitter?.name === "confirmed",
        first_message: fields.get("first-message"),
        names: fields.getAll("variable-name"),
        values: fields.getAll("variable-value"),
      });
    },

    /** Seconds since the press; nothing before the first. */
    age() {
      return this.pressed?.age() ?? null;
    },

    /** The press has been dealt with; `placed`: it led to a call. */
    settle(placed) {
      setTimeout(
        () => {
          this.dialling = false;
          this.$nextTick(() => this.pressed?.refocus());
        },
        placed ? Math.max(0, DOUBLE_PRESS - 1000 * this.age()) : 0,
      );
    },

    fill(text) {
      this.refused = false;
      this.put(text);
      this.$emit("typed", text);
      this.field.focus();
    },
  },
};
