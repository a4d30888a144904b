/**
 * A form around one number field. It groups digits while they are typed, and sends each press of Call once, at once, or not at all: not while
 * one is pending, not from a held key, not without a connection. The server is given the press's `clocks`.
 */
import { Press } from "press";
import { defineComponent } from "vue";

const DOUBLE_PRESS_MS = 1500; // a second press within this is an accident; slower than any double click, quicker than any decision

/** @param {string} text */
const digits = (text) => text.replace(/\D/g, "").replace(/^00/, "");

/** @typedef {{of: string, text: string, pasted: boolean}} Shape how the server writes a number: `text` replaces what was typed, `of` */

export default defineComponent({
  template: `
    <form class="dial-form" novalidate @submit.prevent="press" @keydown.enter="held" @input="typed" @focusout="left"
      @paste="paste" @change="chosen">
      <slot></slot>
      <fieldset :disabled="dialling || disabled"><slot name="actions"></slot></fieldset>
      <p v-if="refused" class="problem" role="alert">{{ offline }}</p>
    </form>`,
  props: { initial: String, shape: /** @type {import("vue").PropType<Shape>} */ (Object), offline: String, disabled: Boolean },
  emits: ["typed", "pasted", "chosen", "left", "dismissed", "dial"],

  data() {
    return { dialling: false, refused: false };
  },

  setup() {
    return {
      field: document.createElement("input"), // until the form's own is mounted
      pressed: /** @type {Press|null} */ (null),
      answered: "", // the question that the press said yes to
      deleting: false,
      composing: false,
    };
  },

  mounted() {
    this.field = this.$el.querySelector("input");
    if (this.initial) this.field.value = this.initial;
    document.addEventListener("keydown", this.dismiss); // a press takes the focus away from the form until it is answered
  },

  beforeUnmount() {
    document.removeEventListener("keydown", this.dismiss);
  },

  watch: {
    shape: "reshape",
  },

  methods: {
    /** @param {Shape} shape */
    reshape({ of, text, pasted }) {
      const { field } = this;
      if (pasted && field.value === of.slice(0, field.maxLength)) return this.put(text);
      const asTyped = field.value === of && field.selectionStart === of.length && !this.composing;
      const regrows = this.deleting && text.length > of.length; // a separator could never be deleted if it came back
      if (!asTyped || regrows || text === of || digits(text) !== digits(of)) return;
      this.put(text);
    },

    /** @param {string} text */
    put(text) {
      this.field.value = text;
      this.field.setSelectionRange(text.length, text.length);
    },

    /** @param {InputEvent} event */
    typed(event) {
      if (event.target !== this.field) {
        if (this.asking()) this.$emit("chosen", this.picked()); // the question was about another call
        return;
      }
      this.refused = false;
      this.deleting = event.inputType?.startsWith("delete") ?? false;
      this.composing = event.isComposing ?? false;
      this.$emit("typed", this.field.value);
    },

    /**
     * A number that is pasted over the whole field may be written in any way, and be longer than the field.
     * @param {ClipboardEvent} event
     */
    paste(event) {
      const { field } = this;
      const selected = (field.selectionEnd ?? 0) - (field.selectionStart ?? 0);
      if (event.target !== field || selected < field.value.length || !event.clipboardData) return;
      const text = event.clipboardData.getData("text").trim();
      event.preventDefault();
      this.refused = false;
      this.put(text.slice(0, field.maxLength));
      this.$emit("pasted", text);
    },

    /** What the form says besides the number. */
    picked() {
      const fields = new FormData(this.$el);
      const asked = [...fields].filter(([name, value]) => name.startsWith("asked ") && String(value).trim());
      return {
        assistant: fields.get("assistant"),
        caller_id: fields.get("caller-id"),
        first_message: fields.get("first-message"),
        customer_name: fields.get("customer-name"),
        voicemail: fields.get("voicemail"),
        voicemail_message: fields.get("voicemail-message"),
        asked: Object.fromEntries(asked.map(([name, value]) => [name.slice("asked ".length), value])),
        names: fields.getAll("variable-name"),
        values: fields.getAll("variable-value"),
      };
    },

    /** @param {Event} event */
    chosen(event) {
      if (event.target !== this.field) this.$emit("chosen", this.picked());
    },

    /** @returns {boolean} a question is shown */
    asking() {
      return Boolean(this.$el.querySelector("button[name=confirmed]")?.offsetParent);
    },

    /** @param {FocusEvent} event */
    left(event) {
      const { relatedTarget } = event;
      const toPress = relatedTarget instanceof Element && relatedTarget.matches(":active"); // a message now could move the button away
      if (event.target === this.field && !toPress) this.$emit("left", this.field.value);
    },

    /** @param {KeyboardEvent} event */
    held(event) {
      if (event.repeat) event.preventDefault();
    },

    /**
     * Escape says no to the question that is shown.
     * @param {KeyboardEvent} event
     */
    dismiss(event) {
      const here = event.target === document.body || (event.target instanceof Node && this.$el.contains(event.target));
      if (event.key !== "Escape" || event.isComposing || !here || !this.asking()) return;
      this.field.focus();
      this.$emit("dismissed");
    },

    /** @param {SubmitEvent} event */
    press(event) {
      if (this.dialling || this.disabled) return;
      globalThis.LivePlayout?.unlock(); // browsers allow sound only within the click
      if (!window.socket?.connected) {
        this.refused = true;
        return;
      }
      this.refused = false;
      this.dialling = true;
      this.pressed = new Press();
      this.answered = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
      this.$emit("dial", { ...this.picked(), text: this.field.value, answered: this.answered, clocks: this.pressed.clocks });
    },

    /**
     * The server has answered the press. After a call, or a yes, the next press waits: the second click of a double click would answer a
     * question that nobody has read.
     * @param {boolean} placed it led to a call
     */
    settle(placed) {
      if (placed) showStage();
      setTimeout(
        () => {
          this.dialling = false;
          this.$nextTick(() => this.pressed?.refocus());
        },
        placed || this.answered ? Math.max(0, DOUBLE_PRESS_MS - (performance.now() - (this.pressed?.steadyMs ?? 0))) : 0,
      );
    },

    /** @param {string} text */
    fill(text) {
      this.refused = false;
      this.put(text);
      this.$emit("typed", text);
      this.field.focus();
    },
  },
});

/** On a phone the call is above the dialer: whoever has just dialled wants to see it. */
function showStage() {
  const stage = document.querySelector(".stage");
  const top = stage?.getBoundingClientRect().top ?? 0;
  if (top < 0 || top > innerHeight) stage?.scrollIntoView();
}
