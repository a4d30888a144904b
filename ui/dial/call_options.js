/**
 * Options of a single call: its first message and variables. The fields have names, so that the surrounding form sends them; Enter in them does
 * not dial.
 */
import { defineComponent } from "vue";

/** @typedef {{key: number, name: string, value: string}} Row */

export default defineComponent({
  template: `
    <details class="more">
      <summary>{{ words.more }}<span v-if="changed" class="changed">{{ words.changed }}</span></summary>
      <div class="more-fields" @keydown.enter="stay">
        <label class="label" for="first-message">{{ words.first_message }}</label>
        <textarea id="first-message" name="first-message" rows="2" maxlength="4000" v-model="message"
          :placeholder="words.first_message_hint" data-testid="first-message"></textarea>
        <div role="group" aria-labelledby="variables">
          <span class="label" id="variables">{{ words.variables }}</span>
          <div v-for="row in rows" :key="row.key" class="variable">
            <input name="variable-name" v-model="row.name" maxlength="64" autocomplete="off" spellcheck="false"
              :placeholder="words.variable_name" :aria-label="words.variable_name">
            <input name="variable-value" v-model="row.value" maxlength="4000" autocomplete="off"
              :placeholder="words.variable_value" :aria-label="words.variable_value">
            <button type="button" class="btn bare" :aria-label="words.remove" @click="remove(row)">
              <svg width="16" height="16" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor"
                stroke-width="2" stroke-linecap="round" d="M6 6l12 12M18 6L6 18"/></svg>
            </button>
          </div>
          <button ref="adds" type="button" class="btn small" @click="add">{{ words.add }}</button>
        </div>
      </div>
    </details>`,
  props: { words: Object },

  setup() {
    return { count: 0 };
  },

  data() {
    return { message: "", rows: /** @type {Row[]} */ ([]) };
  },

  computed: {
    changed() {
      return Boolean(this.message.trim() || this.rows.some((row) => row.name.trim() || row.value.trim()));
    },
  },

  methods: {
    add() {
      this.rows.push({ key: this.count++, name: "", value: "" });
      this.$nextTick(() => [...this.$el.querySelectorAll("[name=variable-name]")].at(-1).focus());
    },

    /** @param {Row} row */
    remove(row) {
      this.rows = this.rows.filter((other) => other !== row);
      /** @type {HTMLElement} */ (this.$refs.adds).focus();
    },

    /** @param {KeyboardEvent} event */
    stay(event) {
      if (event.target instanceof HTMLInputElement) event.preventDefault(); // only Enter in the number field dials
    },

    empty() {
      this.message = "";
      this.rows = [];
    },
  },
});
