/**
 * What can be done on the page by a key and in the palette. A command is one row of the table; its name is said by `command_<name>` in words/.
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {string} [key] as `KeyboardEvent.key`
 * @property {string} on a selector; the first element that is in sight counts
 * @property {"focus"|"click"|"toggle"|"set"} does toggle: presses all that are not pressed, or all if all are. set: moves all to `value`
 * @property {number} [value]
 * @property {boolean} [silent] it is not listed, since another row stands for it
 * @property {boolean} [asks] it can't be taken back, so that a key alone is not enough; `sure_<name>` in words/ asks
 */

/** @type {Command[]} */
export const COMMANDS = [
  { name: "search", key: "/", on: "input[type=search]", does: "focus" },
  { name: "trouble", key: "n", on: ".fleet [data-next]", does: "click" }, // where the fleet is, the number's field is not
  { name: "number", key: "n", on: "[data-testid=dial-number]", does: "focus" },
  { name: "listen", key: " ", on: "[data-testid=listen-toggle]", does: "click" },
  { name: "mute", key: "m", on: ".audio-player .mute", does: "toggle" },
  ...Array.from(
    { length: 10 },
    (_, k) =>
      /** @type {Command} */ ({
        name: "volume",
        key: String(k),
        on: ".audio-player .volume",
        does: "set",
        value: k / 10 || 1,
        silent: k > 0,
      }),
  ),
  { name: "say", key: "s", on: "input[name=say]", does: "focus" },
  { name: "record", key: "r", on: "[data-testid=record][aria-checked=false]", does: "click", asks: true },
  { name: "stop_recording", key: "r", on: "[data-testid=record][aria-checked=true]", does: "click", asks: true },
  { name: "end", key: "e", on: "[data-testid=call-end]", does: "click", asks: true },
  { name: "contacts", key: "c", on: "[data-testid=contacts]", does: "click" },
  { name: "present", key: "p", on: "[data-testid=present]", does: "click" },
  { name: "fleet", on: "[data-testid=view-fleet][aria-pressed=false]", does: "click" },
  { name: "rules", on: "[data-testid=rules]", does: "click" },
  { name: "safety", on: "[data-testid=safety]", does: "click" },
  { name: "tour", on: "[data-testid=tour-start]", does: "click" },
  { name: "audit", on: "[data-testid=audit]", does: "click" },
  { name: "settings", on: "[data-testid=settings]", does: "click" },
];

/**
 * The element that a command acts on now; undefined if there is none, or it is disabled.
 * @param {Command} command
 */
export function targetOf(command) {
  return targetsOf(command)[0];
}

/**
 * All elements that a command acts on now.
 * @param {Command} command
 */
export function targetsOf({ on }) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(on));
  return [...found].filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.matches(":disabled"));
}

/**
 * A key as people read it.
 * @param {string} key
 * @param {string} space the name of the space bar
 */
export function keyName(key, space) {
  return key === " " ? space : key.toUpperCase();
}
