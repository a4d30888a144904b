/**
 * Options of a single call: what the assistant's texts ask for, its first message, the customer's name, what to do at a voicemail, and further
 * variables. The fields have names, so that the surrounding form sends them; Enter in them does not dial.
 */
import { defineComponent } from "vue";

/** @typedef {{key: number, name: string, value: string}} Row */

export default defineComponent({
  template: `
    <details class="more">
      <summary><span>{{ words.more }}</span><span v-if="changed" class="changed">{{ words.changed }}</span>
        <span v-else-if="asks.length" class="asked">{{ asks.join(", ") }}</span></summary>
      <div class="more-fields" @keydown.enter="stay">
        <template v-for="(name, index) in asks" :key="name">
          <label class="label" :for="'asked-' + index">{{ name }}</label>
          <input class="line" :id="'asked-' + index" data-asked :name="'asked ' + name" v-model="answers[name]" maxlength="4000"
            autocomplete="off">
        </template>
        <template v-if="!squad">
          <label class="label" for="first-message">{{ words.first_message }}</label>
          <textarea id="first-message" name="first-message" rows="2" maxlength="4000" v-model="message"
            :placeholder="words.first_message_hint" data-testid="first-message"></textarea>
        </template>
        <label class="label" for="customer-name">{{ words.customer_name }}</label>
        <input class="line" id="customer-name" name="customer-name" v-model="customer" maxlength="40" autocomplete="off">
        <label class="label" for="voicemail">{{ words.voicemail }}</label>
        <select class="line" id="voicemail" name="voicemail" v-model="voicemail">
          <option value="">{{ words.voicemail_as_set_up }}</option>
          <option v-for="way in ways" :key="way" :value="way">{{ words["voicemail_" + way] }}</option>
        </select>
        <textarea v-if="voicemail === 'leave-message'" name="voicemail-message" rows="2" maxlength="1000" v-model="left"
          :placeholder="words.voicemail_message" :aria-label="words.voicemail_message"></textarea>
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
  props: {
    words: { type: /** @type {import("vue").PropType<Record<string, string>>} */ (Object), required: true },
    ways: { type: /** @type {import("vue").PropType<string[]>} */ (Array), required: true },
    asks: { type: /** @type {import("vue").PropType<string[]>} */ (Array), required: true },
    squad: Boolean,
  },

  setup() {
    return { count: 0 };
  },

  data() {
    return {
      message: "",
      customer: "",
      voicemail: "",
      left: "",
      answers: /** @type {Record<string, string>} */ ({}),
      rows: /** @type {Row[]} */ ([]),
    };
  },

  computed: {
    /** @returns {boolean} */
    changed() {
      const texts = [this.squad ? "" : this.message, this.customer, this.voicemail, ...this.asks.map((name) => this.answers[name] ?? "")];
      return texts.some((text) => text.trim()) || this.rows.some((row) => row.name.trim() || row.value.trim());
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
      const adds = /** @type {HTMLElement} */ (this.$refs.adds);
      adds.focus();
      this.$nextTick(() => adds.dispatchEvent(new Event("change", { bubbles: true }))); // the call is another one without it
    },

    /** @param {KeyboardEvent} event */
    stay(event) {
      if (event.target instanceof HTMLInputElement) event.preventDefault(); // only Enter in the number field dials
    },

    empty() {
      Object.assign(this.$data, { message: "", customer: "", voicemail: "", left: "", answers: {}, rows: [] });
    },
  },
});
