/**
 * Present: the call on the stage for a room, on the whole page. Style sheets enlarge it and hide what is not for others' eyes; here is what
 * turns that on and off. Only its own way out is shown, and Escape and P leave too.
 */
import { isPresenting, nameTab } from "tab_title";
import { defineComponent } from "vue";

const OPEN = "dialog[open], :popover-open";

export default defineComponent({
  template: `
    <div class="presenting">
      <span class="sr-only" role="status">{{ on ? words.on : "" }}</span>
      <button v-if="on" ref="leave" type="button" class="btn quiet" data-testid="present-leave" @click="leave">{{ words.leave }} <kbd>Esc</kbd></button>
    </div>`,
  props: { words: { type: Object, required: true } },

  data() {
    return { on: false };
  },

  setup() {
    return { before: /** @type {HTMLElement|null} */ (null) }; // what had the focus
  },

  mounted() {
    document.addEventListener("earshot-present", this.enter);
    document.addEventListener("keydown", this.press);
  },

  beforeUnmount() {
    document.removeEventListener("earshot-present", this.enter);
    document.removeEventListener("keydown", this.press);
    this.leave();
  },

  methods: {
    enter() {
      if (isPresenting()) return;
      this.before = /** @type {HTMLElement|null} */ (document.activeElement);
      this.show(true);
      this.$nextTick(() => /** @type {HTMLElement} */ (this.$refs.leave).focus());
    },

    leave() {
      if (!isPresenting()) return;
      this.show(false);
      this.before?.focus();
    },

    /** @param {boolean} on */
    show(on) {
      this.on = on;
      const { dataset } = document.documentElement;
      if (on) dataset.presents = "";
      else delete dataset.presents;
      nameTab({});
    },

    /** @param {KeyboardEvent} event */
    press(event) {
      if (!isPresenting() || event.repeat || event.ctrlKey || event.altKey || event.metaKey || document.querySelector(OPEN)) return;
      if (event.key !== "Escape" && event.key.toLowerCase() !== "p") return;
      event.preventDefault(); // P would enter again
      this.leave();
    },
  },
});
