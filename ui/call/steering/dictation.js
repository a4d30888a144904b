/**
 * A button to dictate into the field beside it, while it is held, by the browser's own speech recognition. Hidden where there is none. What
 * was heard stands in the field: sending it is another press.
 */
import { defineComponent } from "vue";

const { SpeechRecognition, webkitSpeechRecognition } = /** @type {any} */ (globalThis);
const Recognition = SpeechRecognition ?? webkitSpeechRecognition;
const SILENT = ["no-speech", "aborted"]; // nothing was said, or the button was released at once

export default defineComponent({
  template: `
    <span v-if="possible" class="dictation">
      <button type="button" class="btn" :class="{ hears }" :aria-label="words.dictate" :title="words.dictate" :aria-pressed="String(hears)"
        data-testid="dictate" @pointerdown="begin" @pointerup="end" @pointercancel="end" @keydown.space.prevent="begin"
        @keyup.space="end" @blur="end" @contextmenu.prevent>
        <slot></slot>
      </button>
      <span class="dictation-says" role="status">{{ problem || (hears ? words.hears : "") }}</span>
    </span>`,
  props: { words: { type: Object, required: true } },

  setup() {
    return { recognition: /** @type {any} */ (null), before: "" };
  },

  data() {
    return { possible: Boolean(Recognition), hears: false, problem: "" };
  },

  beforeUnmount() {
    this.recognition?.abort();
  },

  methods: {
    /** @param {PointerEvent|KeyboardEvent} event */
    begin(event) {
      if (this.recognition || ("repeat" in event && event.repeat) || ("button" in event && event.button !== 0)) return;
      const field = this.field();
      if (!field || field.matches(":disabled")) return;
      this.problem = "";
      this.before = field.value.trim();
      const recognition = new Recognition();
      this.recognition = recognition;
      recognition.lang = document.documentElement.lang;
      recognition.continuous = recognition.interimResults = true;
      recognition.onstart = () => (this.hears = true);
      recognition.onresult = (/** @type {any} */ { results }) => this.write([...results].map(([best]) => best.transcript).join(""));
      recognition.onerror = (/** @type {any} */ { error }) => {
        if (!SILENT.includes(error)) this.problem = error === "not-allowed" ? this.words.forbidden : this.words.failed;
      };
      recognition.onend = () => {
        this.hears = false;
        this.recognition = null;
      };
      recognition.start();
    },

    /** What was heard until now still comes. */
    end() {
      this.recognition?.stop();
    },

    /** @param {string} heard */
    write(heard) {
      const field = this.field();
      if (!field) return;
      field.value = `${this.before} ${heard.trim()}`.trim().slice(0, field.maxLength > 0 ? field.maxLength : undefined);
      field.dispatchEvent(new Event("input", { bubbles: true })); // the form keeps what is typed
    },

    /** @returns {HTMLInputElement|null} */
    field() {
      return this.$el.closest(".ask").querySelector("input");
    },
  },
});
