/**
 * Calls as rows of buttons. The server sends the rows as data (`initial`, then `put`, `drop`, `mark`), so that a change of one call is one
 * small message. Arrow keys move through all lists of the section; a click, or Enter, chooses the call.
 *
 * @typedef {object} Row
 * @property {string} id
 * @property {string} number
 * @property {string} status
 * @property {string} words
 * @property {string} [tone] how it ended
 * @property {number} [at] ms since 1970
 * @property {boolean} [running]
 * @property {number} [since] ms since 1970 at which it was answered
 * @property {boolean} [inbound]
 * @property {boolean} [fresh] it has just come
 * @property {string} [speaks] what is being said
 * @property {string} [speaker]
 */
import { brief, lasting, whole } from "times";
import { defineComponent } from "vue";

const FRESH_MS = 8000; // how long a new call is marked: time enough to look up and find it

export default defineComponent({
  template: `
    <ul class="list" @keydown="move">
      <li v-for="row in sorted" :key="row.id" :class="{ fresh: fresh[row.id] }">
        <button type="button" class="row" :data-call="row.id" :aria-current="row.id === current ? 'true' : null"
          :tabindex="row.id === reached ? 0 : -1" @focus="focused = row.id" @click="choose(row)">
          <i class="dot" :class="[row.status, row.tone]"></i>
          <span class="number">{{ row.number }}</span>
          <span v-if="row.running" class="when">{{ row.since ? lasting((now - row.since) / 1000) : "" }}</span>
          <time v-else-if="row.at" class="when" :datetime="new Date(row.at).toISOString()" :title="whole(row.at)">{{ brief(row.at) }}</time>
          <small><b v-if="fresh[row.id]" class="tag new">{{ words.fresh }}</b><b v-if="row.inbound" class="tag">{{ words.inbound }}</b>{{ row.words
            }}<span v-if="row.speaks" class="speaks" :class="row.speaker">, {{ row.speaks }}</span></small>
        </button>
      </li>
    </ul>`,
  props: { initial: { type: /** @type {import("vue").PropType<Row[]>} */ (Array), required: true }, words: Object },
  emits: ["choose"],

  setup() {
    return { clock: 0 };
  },

  data() {
    return {
      rows: byId(this.initial),
      current: /** @type {string|null} */ (null),
      focused: /** @type {string|null} */ (null),
      fresh: /** @type {Record<string, boolean>} */ ({}),
      now: Date.now(),
    };
  },

  computed: {
    /** @returns {Row[]} */
    sorted() {
      return Object.values(this.rows).sort((a, b) => (b.at ?? 0) - (a.at ?? 0) || (a.id < b.id ? 1 : -1));
    },
    /**
     * The row that Tab reaches; arrow keys continue from there.
     * @returns {string|undefined}
     */
    reached() {
      return [this.focused, this.current].find((id) => id !== null && id in this.rows) ?? this.sorted[0]?.id;
    },
  },

  mounted() {
    this.clock = setInterval(() => {
      if (this.sorted.some((row) => row.running)) this.now = Date.now();
    }, 1000);
  },

  beforeUnmount() {
    clearInterval(this.clock);
  },

  methods: {
    brief,
    lasting,
    whole,

    /** @param {Row[]} rows */
    put(rows) {
      for (const row of rows) {
        if (row.fresh && !(row.id in this.rows) && row.id !== this.current) this.announce(row.id);
        this.rows[row.id] = row;
      }
    },

    /** @param {Row[]} rows */
    replace(rows) {
      this.rows = byId(rows);
    },

    /** @param {string[]} ids */
    drop(ids) {
      const lost = ids.includes(document.activeElement?.getAttribute("data-call") ?? "");
      for (const id of ids) delete this.rows[id];
      if (lost) this.$nextTick(() => this.$el.querySelector(".row[tabindex='0']")?.focus());
    },

    /** @param {string|null} id */
    mark(id) {
      this.current = id;
      if (id) delete this.fresh[id]; // whoever looks at it knows
    },

    /** @param {string} id */
    announce(id) {
      this.fresh[id] = true;
      setTimeout(() => delete this.fresh[id], FRESH_MS);
    },

    /** @param {Row} row */
    choose(row) {
      if (row.running) globalThis.LivePlayout?.unlock(); // browsers allow sound only within the click
      this.$emit("choose", row.id);
    },

    /** @param {KeyboardEvent} event */
    move(event) {
      const all = /** @type {HTMLElement[]} */ ([...this.$el.closest("section").querySelectorAll(".row")]);
      const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
      const to = new Map(Object.entries({ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 })).get(event.key);
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      all[to]?.focus();
    },
  },
});

/**
 * @param {Row[]} rows
 * @returns {Record<string, Row>}
 */
function byId(rows) {
  return Object.fromEntries(rows.map((row) => [row.id, row]));
}
