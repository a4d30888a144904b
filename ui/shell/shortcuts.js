/**
 * Keys for the whole page: those of the table of commands, `?` for a list of them, and Ctrl+K (on a Mac also Cmd+K) for the palette. Keys
 * that are typed into a field, keys beside an open dialog or popover, and other keys with a modifier, are the browser's.
 */
import { COMMANDS, keyName, targetOf, targetsOf } from "commands";
import { fill } from "fill";
import { defineComponent } from "vue";

const OPEN = "dialog[open], :popover-open";

export default defineComponent({
  template: `
    <div>
      <dialog ref="keys" class="dialog keys" :aria-label="words.keys" @click.self="$refs.keys.close()">
        <h2>{{ words.keys }}</h2>
        <dl>
          <div v-for="row in rows" :key="row.name"><dt>{{ words.names[row.name] }}</dt><dd><kbd>{{ row.shown }}</kbd></dd></div>
        </dl>
        <form method="dialog"><button class="btn" autofocus>{{ words.close }}</button></form>
      </dialog>
      <dialog ref="sure" class="dialog sure-dialog" :aria-label="question">
        <p>{{ question }}</p>
        <form method="dialog" class="answers">
          <button class="btn" autofocus>{{ words.cancel }}</button>
          <button type="button" class="btn end" @click="confirmed">{{ words.names[asked?.name ?? "end"] }}</button>
        </form>
      </dialog>
    </div>`,
  props: { words: { type: Object, required: true } },

  data() {
    return { asked: /** @type {import("commands").Command|null} */ (null), question: "" };
  },

  /** What Vue must not make reactive. */
  setup() {
    return { target: /** @type {HTMLElement|null} */ (null) }; // what the question is about
  },

  computed: {
    /** @returns {{name: string, shown: string}[]} */
    rows() {
      const own = COMMANDS.filter((row) => row.key && !row.silent).map(({ name, key = "", does }) => ({
        name,
        shown: does === "set" ? "0 – 9" : keyName(key, this.words.space),
      }));
      return [...own, { name: "palette", shown: "Ctrl K" }, { name: "keys", shown: "?" }];
    },
  },

  mounted() {
    document.addEventListener("keydown", this.press);
    document.addEventListener("earshot-command", this.fromPalette);
  },

  beforeUnmount() {
    document.removeEventListener("keydown", this.press);
    document.removeEventListener("earshot-command", this.fromPalette);
  },

  methods: {
    /** @param {KeyboardEvent} event */
    press(event) {
      if (event.defaultPrevented || event.repeat) return;
      if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        event.preventDefault(); // the browser's own search
        document.dispatchEvent(new CustomEvent("earshot-palette"));
        return;
      }
      if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || document.querySelector(OPEN)) return;
      if (event.key === "?") return this.dialog("keys").showModal();
      const command = COMMANDS.find((row) => row.key === event.key && targetOf(row));
      if (!command || (event.key === " " && isPressable(event.target)) || !this.run(command)) return;
      event.preventDefault(); // otherwise the key itself would be typed into the field that gets the focus
    },

    /** @param {Event} event from the palette */
    fromPalette(event) {
      this.run(/** @type {CustomEvent} */ (event).detail);
    },

    /**
     * Does it, or asks first. False if it can't be done now.
     * @param {import("commands").Command} command
     */
    run(command) {
      const target = targetOf(command);
      if (!target) return false;
      if (command.asks) this.ask(command, target);
      else DEEDS[command.does](target, command);
      return true;
    },

    /**
     * @param {import("commands").Command} command
     * @param {HTMLElement} target
     */
    ask(command, target) {
      this.asked = command;
      this.target = target;
      this.question = fill(this.words.sure[command.name], { number: document.querySelector(".stage .who")?.textContent ?? "" });
      this.dialog("sure").showModal();
    },

    /** A yes is for the call that the question named. If another one has taken its place meanwhile, that is asked anew. */
    confirmed() {
      this.dialog("sure").close();
      if (!this.asked) return;
      const target = targetOf(this.asked);
      if (target && target === this.target) target.click();
      else if (target) this.ask(this.asked, target);
    },

    /** @param {"keys"|"sure"} name */
    dialog(name) {
      return /** @type {HTMLDialogElement} */ (this.$refs[name]);
    },
  },
});

/** @param {EventTarget|null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/**
 * True for what the space bar presses or scrolls.
 * @param {EventTarget|null} target
 */
function isPressable(target) {
  return target instanceof HTMLElement && target.matches("button, a, summary, label, [role=button], [tabindex='0']");
}

/** @type {Record<import("commands").Command["does"], (target: HTMLElement, command: import("commands").Command) => void>} */
const DEEDS = {
  focus: (target) => target.focus(),
  click: (target) => target.click(),
  toggle(_target, command) {
    const all = targetsOf(command);
    const open = all.filter((target) => target.ariaPressed !== "true");
    for (const target of open.length ? open : all) target.click();
  },
  set(_target, command) {
    for (const target of /** @type {HTMLInputElement[]} */ (targetsOf(command))) {
      target.valueAsNumber = command.value ?? 0;
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  },
};
