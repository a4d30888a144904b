/**
 * A list of names to choose one from, in a form. The field has a name, so that the form sends the choice. Long lists have a search field: it
 * shows the names that match, and Enter takes the first. What is chosen stays chosen when the list is renewed, also if it is no longer in it.
 */
import { defineComponent } from "vue";

/** @typedef {{title: string, options: [value: string, text: string][]}} Group */

const MANY = 8; // options that are found at a glance
const MOST_FOUND = 30;

export default defineComponent({
  template: `
    <div class="picker">
      <label class="sel">
        <span>{{ title }}</span>
        <select ref="list" :name="name" :data-testid="testid" v-model="chosen">
          <option v-if="absent" :value="chosen">{{ absent }}</option>
          <template v-for="group in groups" :key="group.title">
            <optgroup v-if="group.title" :label="group.title">
              <option v-for="[value, text] in group.options" :key="value" :value="value">{{ text }}</option>
            </optgroup>
            <option v-else v-for="[value, text] in group.options" :key="value" :value="value">{{ text }}</option>
          </template>
        </select>
      </label>
      <input v-if="options.length > many" ref="search" class="picker-search" type="text" role="searchbox" spellcheck="false" v-model="text" autocomplete="off" maxlength="64"
        :placeholder="words.search_names" :aria-label="words.search_names + ': ' + title" :data-testid="testid + '-search'"
        @keydown.enter.prevent.stop="takeFirst" @keydown.esc="clear" @change.stop @input.stop>
      <ul v-if="text.trim()" class="picker-found" role="status">
        <li v-for="[value, name] in found" :key="value"><button type="button" @click="take(value)">{{ name }}</button></li>
        <li v-if="!found.length">{{ words.no_names }}</li>
      </ul>
    </div>`,
  props: {
    name: { type: String, required: true },
    title: { type: String, required: true },
    testid: { type: String, default: "" },
    groups: { type: /** @type {import("vue").PropType<Group[]>} */ (Array), required: true },
    preset: { type: String, default: "" },
    words: { type: /** @type {import("vue").PropType<Record<string, string>>} */ (Object), required: true },
  },

  data() {
    return { chosen: this.preset, text: "" };
  },

  setup() {
    return { many: MANY };
  },

  mounted() {
    this.$el.closest("form")?.addEventListener("reset", () => this.$nextTick(() => (this.chosen = this.preset)));
  },

  computed: {
    /** @returns {[string, string][]} */
    options() {
      return this.groups.flatMap((group) => group.options);
    },

    /** @returns {string} what the choice is called if the list does not have it */
    absent() {
      if (this.options.some(([value]) => value === this.chosen)) return "";
      return this.chosen === this.preset ? this.words.absent : this.words.deleted;
    },

    /** @returns {[string, string][]} */
    found() {
      const wanted = plain(this.text);
      return this.options.filter(([, text]) => plain(text).includes(wanted)).slice(0, MOST_FOUND);
    },
  },

  methods: {
    /** @param {string} value */
    take(value) {
      this.chosen = value;
      this.text = "";
      const list = /** @type {HTMLSelectElement} */ (this.$refs.list);
      this.$nextTick(() => {
        list.dispatchEvent(new Event("change", { bubbles: true })); // as if it was chosen in the list
        list.focus();
      });
    },

    takeFirst() {
      if (this.text.trim() && this.found[0]) this.take(this.found[0][0]);
    },

    /** @param {KeyboardEvent} event */
    clear(event) {
      if (!this.text) return;
      event.stopPropagation(); // it closes the search, and answers no question
      this.text = "";
    },
  },
});

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
