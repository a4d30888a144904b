/**
 * Calls as rows of buttons. What a row shows comes from the server as data (`initial`, then `put`, `drop`, `mark`), so that a change of one
 * call costs one small message. Arrow keys move through all lists of the section; a press, or Enter, chooses the call.
 */
import { brief, lasting, whole } from "times";

const NEWS = 8000; // ms for which a call that has just come is marked

export default {
  template: `
    <ul class="list" @keydown="move">
      <li v-for="row in sorted" :key="row.id" :class="{ fresh: fresh[row.id] }">
        <button type="button" class="row" :data-call="row.id" :aria-current="row.id === current ? 'true' : null"
          :tabindex="row.id === reached ? 0 : -1" @focus="focused = row.id" @click="choose(row)">
          <i class="dot" :class="row.status"></i>
          <span class="number">{{ row.number }}</span>
          <span v-if="row.running" class="when">{{ row.since ? lasting((now - row.since) / 1000) : "" }}</span>
          <time v-else-if="row.at" class="when" :datetime="new Date(row.at).toISOString()" :title="whole(row.at)">{{ brief(row.at) }}</time>
          <small><b v-if="fresh[row.id]" class="tag new">{{ words.fresh }}</b><b v-if="row.inbound" class="tag">{{ words.inbound }}</b>{{ row.words
            }}<span v-if="row.speaks" class="speaks" :class="row.speaker">, {{ row.speaks }}</span></small>
        </button>
      </li>
    </ul>`,
  props: { initial: Array, words: Object },
  emits: ["choose"],

  data() {
    const rows = Object.fromEntries(this.initial.map((row) => [row.id, row]));
    return { rows, current: null, focused: null, fresh: {}, now: Date.now() };
  },

  computed: {
    sorted() {
      return Object.values(this.rows).sort((a, b) => (b.at ?? 0) - (a.at ?? 0) || (a.id < b.id ? 1 : -1));
    },
    /** The one row that Tab reaches; arrows go on from there. */
    reached() {
      return [this.focused, this.current].find((id) => id in this.rows) ?? this.sorted[0]?.id;
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

    put(rows) {
      for (const row of rows) {
        if (row.fresh && !(row.id in this.rows) && row.id !== this.current) this.announce(row.id);
        this.rows[row.id] = row;
      }
    },

    replace(rows) {
      this.rows = Object.fromEntries(rows.map((row) => [row.id, row]));
    },

    drop(ids) {
      const lost = ids.includes(document.activeElement?.dataset.call);
      for (const id of ids) delete this.rows[id];
      if (lost) this.$nextTick(() => this.$el.querySelector(".row[tabindex='0']")?.focus());
    },

    mark(id) {
      this.current = id;
    },

    announce(id) {
      this.fresh[id] = true;
      setTimeout(() => delete this.fresh[id], NEWS);
    },

    choose(row) {
      if (row.running) globalThis.LivePlayout?.unlock(); // browsers allow sound only from within the press itself
      this.$emit("choose", row.id);
    },

    move(event) {
      const all = [...this.$el.closest("section").querySelectorAll(".row")];
      const at = all.indexOf(event.target);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      all[to]?.focus();
    },
  },
};
