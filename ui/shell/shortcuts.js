/** Keys for the whole page. A shortcut is one row of the table; keys typed into a field, and keys with a modifier, are the browser's. */
import { defineComponent } from "vue";

/**
 * @typedef {{key: string, on: string, does: "focus"|"toggle"|"set", value?: number}} Shortcut
 * @property {string} on a selector; elements out of sight don't count
 * @property {"focus"|"toggle"|"set"} does focus: focuses the first. toggle: presses all buttons that are not pressed, or all if all are. set:
 *   moves all sliders to `value`
 */

/** @type {Shortcut[]} */
const SHORTCUTS = [
  { key: "/", on: "input[type=search]", does: "focus" },
  { key: "n", on: "[data-testid=dial-number]", does: "focus" },
  { key: "m", on: ".audio-player .mute", does: "toggle" },
  ...Array.from(
    { length: 10 },
    (_, k) => /** @type {Shortcut} */ ({ key: String(k), on: ".audio-player .volume", does: "set", value: k / 10 || 1 }),
  ),
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
      const targets = shortcut ? inSight(shortcut.on) : [];
      if (!shortcut || targets.length === 0) return;
      event.preventDefault(); // otherwise the key itself would be typed into the field that gets the focus
      DEEDS[shortcut.does](targets, shortcut.value ?? 0);
    },
  },
});

/** @param {EventTarget|null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** @type {Record<Shortcut["does"], (targets: HTMLElement[], value: number) => void>} */
const DEEDS = {
  focus: ([first]) => first.focus(),
  toggle(targets) {
    const open = targets.filter((target) => target.ariaPressed !== "true");
    for (const target of open.length ? open : targets) target.click();
  },
  set(targets, value) {
    for (const target of /** @type {HTMLInputElement[]} */ (targets)) {
      target.valueAsNumber = value;
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  },
};

/** @param {string} selector */
function inSight(selector) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
  return [...found].filter((element) => element.checkVisibility());
}
