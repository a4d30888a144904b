/** Keys for the whole page. A shortcut is one row of the table; keys typed into a field, and keys with a modifier, are the browser's. */
import { defineComponent } from "vue";

/** @typedef {{key: string, on: string, does: "focus"|"click"}} Shortcut `on`: a selector; the first element that is in sight counts. */

/** @type {Shortcut[]} */
const SHORTCUTS = [
  { key: "/", on: "input[type=search]", does: "focus" },
  { key: "n", on: "[data-testid=dial-number]", does: "focus" },
];

export default defineComponent({
  template: "<div hidden></div>",

  mounted() {
    document.addEventListener("keydown", this.press);
  },

  beforeUnmount() {
    document.removeEventListener("keydown", this.press);
  },

  methods: {
    /** @param {KeyboardEvent} event */
    press(event) {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
      const shortcut = SHORTCUTS.find((row) => row.key === event.key);
      const target = shortcut && firstInSight(shortcut.on);
      if (!shortcut || !target) return;
      event.preventDefault(); // otherwise the key itself would be typed into the field that gets the focus
      target[shortcut.does]();
    },
  },
});

/** @param {EventTarget|null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** @param {string} selector */
function firstInSight(selector) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
  return [...found].find((element) => element.checkVisibility());
}
