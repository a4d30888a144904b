/**
 * The palette: one field that finds commands, calls, assistants, caller IDs, settings, and takes a number. It offers what the page has in
 * sight, and does what a press there would do; a number is only put into its field.
 *
 * @typedef {{id: string, group: string, text: string, hint: string, run: () => void}} Item
 */
import { COMMANDS, keyName, targetOf } from "commands";
import { defineComponent } from "vue";

const MOST = 40; // items at once

export default defineComponent({
  template: `
    <dialog ref="dialog" class="dialog palette" data-testid="palette" :aria-label="words.title" @click.self="close" @close="text = ''">
      <input ref="field" v-model="text" type="text" role="combobox" aria-expanded="true" aria-controls="palette-items" aria-autocomplete="list"
        autocomplete="off" spellcheck="false" maxlength="64" :placeholder="words.title" :aria-label="words.title"
        :aria-activedescendant="chosen ? chosen.id : null" @keydown="move" @input="at = 0">
      <ul id="palette-items" ref="list" role="listbox" :aria-label="words.title">
        <li v-for="(item, index) in found" :id="item.id" :key="item.id" role="option" :aria-selected="String(index === at)"
          @pointermove="at = index" @click="choose(item)">
          <small>{{ item.group }}</small><span>{{ item.text }}</span><kbd v-if="item.hint">{{ item.hint }}</kbd>
        </li>
      </ul>
      <p v-if="!found.length" class="nothing" role="status">{{ words.nothing }}</p>
    </dialog>`,
  props: { words: { type: Object, required: true } },

  data() {
    return { text: "", at: 0, items: /** @type {Item[]} */ ([]) };
  },

  computed: {
    /** @returns {Item[]} */
    found() {
      const wanted = plain(this.text).split(/\s+/).filter(Boolean);
      const items = this.items.filter((item) => wanted.every((word) => plain(`${item.group} ${item.text}`).includes(word)));
      return [...items.slice(0, MOST), ...this.numberItem()];
    },
    /** @returns {Item|undefined} */
    chosen() {
      return this.found[this.at];
    },
  },

  mounted() {
    document.addEventListener("earshot-palette", this.open);
  },

  beforeUnmount() {
    document.removeEventListener("earshot-palette", this.open);
  },

  methods: {
    open() {
      const { dialog, field } = this.parts();
      if (dialog.open) return this.close();
      for (const other of document.querySelectorAll("dialog")) other.close();
      this.items = [...this.commands(), ...this.calls(), ...this.options(), ...this.choices()];
      this.text = "";
      this.at = 0;
      dialog.showModal();
      field.focus();
    },

    close() {
      this.parts().dialog.close();
    },

    parts() {
      const { dialog, field, list } = this.$refs;
      return {
        dialog: /** @type {HTMLDialogElement} */ (dialog),
        field: /** @type {HTMLElement} */ (field),
        list: /** @type {HTMLElement} */ (list),
      };
    },

    /** @returns {Item[]} */
    commands() {
      return COMMANDS.filter((command) => !command.silent && command.does !== "set" && targetOf(command)).map((command) => ({
        id: `palette-${command.name}`,
        group: this.words.actions,
        text: this.words.names[command.name],
        hint: command.key ? keyName(command.key, this.words.space) : "",
        run: () => document.dispatchEvent(new CustomEvent("earshot-command", { detail: command })),
      }));
    },

    /** @returns {Item[]} */
    calls() {
      return elements(".row[data-call]").map((row, index) => ({
        id: `palette-call-${index}`,
        group: this.words.calls,
        text: [...row.querySelectorAll(".number, small, .when")].map((part) => part.textContent?.trim()).join(" · "),
        hint: "",
        run: () => row.click(),
      }));
    },

    /** @returns {Item[]} */
    options() {
      return ["assistant", "caller-id"].flatMap((name) => {
        const select = /** @type {HTMLSelectElement|null} */ (document.querySelector(`select[name=${name}]`));
        return [...(select?.options ?? [])].map((option, index) => ({
          id: `palette-${name}-${index}`,
          group: select?.closest("label")?.querySelector("span")?.textContent ?? "",
          text: option.text,
          hint: option.selected ? "✓" : "",
          run: () => {
            const now = [...(select?.options ?? [])].find(({ value }) => value === option.value);
            if (!select || !now) return; // the list was renewed while the palette was open, without this one
            select.value = now.value;
            select.dispatchEvent(new Event("change", { bubbles: true }));
          },
        }));
      });
    },

    /** @returns {Item[]} */
    choices() {
      const choices = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#settings .choice input[type=radio]"));
      return [...choices].map((choice) => ({
        id: `palette-${choice.name}-${choice.value}`,
        group: choice.closest("fieldset")?.querySelector("legend")?.textContent ?? "",
        text: choice.closest("label")?.textContent ?? "",
        hint: choice.checked ? "✓" : "",
        run: () => choice.click(),
      }));
    },

    /** @returns {Item[]} */
    numberItem() {
      const text = this.text.trim();
      const field = /** @type {HTMLInputElement|null} */ (document.querySelector("[data-testid=dial-number]"));
      if (!field || !/^[+(\d][\d\s()./-]{4,}$/.test(text)) return [];
      const run = () => {
        field.value = text;
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        field.focus();
      };
      return [{ id: "palette-number", group: this.words.number, text, hint: "", run }];
    },

    /** @param {KeyboardEvent} event */
    move(event) {
      if (event.isComposing) return;
      const last = this.found.length - 1;
      const to = new Map(Object.entries({ ArrowDown: this.at >= last ? 0 : this.at + 1, ArrowUp: this.at > 0 ? this.at - 1 : last })).get(
        event.key,
      );
      if (event.key === "Enter" && this.chosen) this.choose(this.chosen);
      else if (to !== undefined) {
        this.at = to;
        this.$nextTick(() => this.parts().list.children[to]?.scrollIntoView({ block: "nearest" }));
      } else return;
      event.preventDefault();
    },

    /** @param {Item} item */
    choose(item) {
      this.close();
      item.run();
    },
  },
});

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {string} selector */
function elements(selector) {
  return /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]).filter((element) => element.checkVisibility());
}
