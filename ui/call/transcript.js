/**
 * The transcript of a call: speech as bubbles, and what happens between as chips. A line with a known key replaces the previous one, as a final text replaces a partial one. Markup in
 * the text is shown, never run. What was done to the call stands between the lines where it happened.
 *
 * @typedef {object} Action
 * @property {number} at ms since 1970
 * @property {string} did such as `Whispered to the assistant`
 * @property {string} detail what was said, or where the call went
 * @property {boolean} quoted the detail is speech
 * @property {string} came what became of it
 * @property {boolean} refused
 * @property {string} by who did it, if it was not done on this page
 *
 * @typedef {object} Line
 * @property {number} key
 * @property {string} kind `speech`, `tool`, `assistant`, `node` or `interruption`
 * @property {string} speaker
 * @property {string} name an assistant's own, or a tool's or node's
 * @property {string} text the words, or a tool's arguments
 * @property {string|null} result what a tool returned
 * @property {number} at ms since 1970
 * @property {boolean} final
 * @property {string} mark what an alert found in it
 */
import { exact, lasting } from "times";
import { figuresOf } from "turns";
import { defineComponent } from "vue";

const NEAR_BOTTOM_PX = 48; // about two lines: a reader this close to the bottom is following
const COPIED_MS = 2000; // how long the button says that it has copied

export default defineComponent({
  template: `
    <div class="transcript-box">
      <div class="transcript-head">
        <h3>{{ words.title }}</h3>
        <span class="grow"></span>
        <template v-if="sorted.length">
          <button type="button" class="btn small" @click="copy">{{ copied ? words.copied : words.copy }}</button>
          <button type="button" class="btn small" @click="download">{{ words.download }}</button>
        </template>
      </div>
      <p v-if="!sorted.length" class="transcript-empty">{{ empty }}</p>
      <div v-show="items.length" class="talk" ref="talk" tabindex="0" role="group" :aria-label="words.title" @scroll.passive="scrolled">
        <template v-for="{ key, line, action } in items" :key="key">
          <p v-if="!line" class="between action" :class="{ refused: action.refused }">
            <b>{{ action.did }}</b> <component v-if="action.detail" :is="action.quoted ? 'q' : 'span'" dir="auto">{{ action.detail }}</component>
            <span class="came">{{ action.by }} {{ action.came }}</span><small>{{ time(action) }}</small>
          </p>
          <div v-else-if="line.kind === 'speech'" class="bubble" :class="[line.speaker, { open: !line.final }]" :data-final="String(line.final)">
            <small>{{ heading(line) }}<span v-if="figures[line.key]" class="turn-figure">{{ figures[line.key] }}</span></small>
            <b v-if="line.mark" class="found" dir="auto">{{ line.mark }}</b>
            <span class="said" dir="auto">{{ line.text }}</span>
          </div>
          <details v-else-if="line.text || line.result" class="between" :class="[line.kind, { open: !line.final }]">
            <summary><span>{{ between(line) }}</span><small>{{ time(line) }}</small></summary>
            <pre v-if="line.text" dir="auto">{{ line.text }}</pre>
            <pre v-if="line.result" class="result" dir="auto">{{ line.result }}</pre>
          </details>
          <p v-else class="between" :class="[line.kind, { open: !line.final }]"><span>{{ between(line) }}</span><small>{{ time(line) }}</small></p>
        </template>
      </div>
      <button v-if="missed" type="button" class="btn small newer" @click="follow">{{ words.newer }}</button>
      <div class="sr-only" role="log" aria-live="polite"><p v-for="line in spoken" :key="line.key">{{ sentence(line) }}</p></div>
      <span class="sr-only" role="status">{{ copied ? words.copied : "" }}</span>
    </div>`,
  props: {
    actions: { type: /** @type {import("vue").PropType<Action[]>} */ (Array), default: () => [] },
    initial: { type: /** @type {import("vue").PropType<Line[]>} */ (Array), required: true },
    /** What was measured of an ended call's conversation. */
    turns: { type: /** @type {import("vue").PropType<import("turns").Turn[]>} */ (Array), default: () => [] },
    since: { type: Number, default: 0 },
    empty: String,
    words: { type: Object, required: true },
    file: { type: String, default: "" },
  },

  setup() {
    return { copiedTimer: 0, following: true, top: 0, resized: /** @type {ResizeObserver|null} */ (null) };
  },

  data() {
    return {
      lines: byKey(this.initial),
      acts: this.actions,
      spoken: /** @type {Line[]} */ ([]), // the last final lines, for screen readers
      missed: false, // a new line is out of sight
      copied: false,
    };
  },

  computed: {
    /** @returns {Line[]} */
    sorted() {
      return Object.values(this.lines).sort((a, b) => a.key - b.key);
    },

    /** @returns {Record<number, string>} what was measured of the turns that lines begin, by their keys */
    figures() {
      const lines = this.sorted.filter(({ kind }) => kind === "speech");
      return Object.fromEntries(Object.entries(figuresOf(lines, this.turns)).map(([place, figure]) => [lines[+place].key, figure]));
    },

    /**
     * The lines in their order, and each action before the first line that began after it.
     * @returns {{key: string, line?: Line, action?: Action}[]}
     */
    items() {
      const { acts } = this;
      /** @type {{key: string, line?: Line, action?: Action}[]} */
      const items = [];
      let next = 0;
      const actUntil = (/** @type {number} */ at) => {
        for (; next < acts.length && acts[next].at < at; next++) items.push({ key: `action ${next}`, action: acts[next] });
      };
      for (const line of this.sorted) {
        actUntil(line.at);
        items.push({ key: `line ${line.key}`, line });
      }
      actUntil(Number.POSITIVE_INFINITY);
      return items;
    },
  },

  mounted() {
    this.follow();
    this.resized = new ResizeObserver(() => {
      if (this.following) this.follow(); // the newest line stays in sight when its window shrinks
    });
    this.resized.observe(this.talk());
  },

  beforeUnmount() {
    clearTimeout(this.copiedTimer);
    this.resized?.disconnect();
  },

  methods: {
    talk() {
      return /** @type {HTMLElement} */ (this.$refs.talk);
    },

    isNearBottom() {
      const { scrollHeight, scrollTop, clientHeight } = this.talk();
      return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
    },

    /** @param {Line[]} lines */
    put(lines) {
      const { following } = this;
      for (const line of lines) {
        if (line.final && !this.lines[line.key]?.final) this.spoken = [...this.spoken.slice(-4), line];
        this.lines[line.key] = line;
      }
      if (following) this.$nextTick(this.follow);
      else this.missed = true;
    },

    /** @param {Action[]} actions */
    act(actions) {
      const { following } = this;
      const news = actions.length > this.acts.length;
      this.acts = actions;
      if (following) this.$nextTick(this.follow);
      else if (news) this.missed = true;
    },

    /**
     * Shows another transcript of the whole call.
     * @param {Line[]} lines
     */
    replace(lines) {
      this.lines = byKey(lines);
    },

    follow() {
      const talk = this.talk();
      this.missed = false;
      this.following = true;
      talk.scrollTop = talk.scrollHeight;
      this.top = talk.scrollTop;
    },

    /** Only who scrolls up leaves the newest line: the window may have shrunk too, since it was scrolled down. */
    scrolled() {
      const { scrollTop } = this.talk();
      if (this.isNearBottom()) {
        this.following = true;
        this.missed = false;
      } else if (scrollTop < this.top) {
        this.following = false;
      }
      this.top = scrollTop;
    },

    /** @param {Line} line */
    who(line) {
      return (line.kind === "speech" && line.name) || this.words[line.speaker] || line.speaker;
    },

    /**
     * What happened between words, such as `Tool: book_table`.
     * @param {Line} line
     */
    between({ kind, name }) {
      const what = this.words[`between_${kind}`] ?? kind;
      return name ? `${what}: ${name}` : what;
    },

    /** @param {Line} line */
    sentence(line) {
      return line.kind === "speech" ? `${this.who(line)}: ${line.text}` : this.between(line);
    },

    /** @param {Line} line */
    heading(line) {
      const who = this.who(line);
      return line.final ? `${who} ${this.time(line)}` : `${who}, ${this.words.speaking}`;
    },

    /**
     * The time since the call was answered, or the time of day if that is not known.
     * @param {{at: number}} event
     */
    time({ at }) {
      return this.since ? lasting((at - this.since) / 1000) : exact(at);
    },

    plain() {
      return this.sorted
        .map((line) => {
          const data = line.kind === "speech" ? [] : [line.text, line.result].filter(Boolean);
          return `[${this.time(line)}] ${[this.sentence(line), ...data].join(" ")}\n`;
        })
        .join("");
    },

    async copy() {
      try {
        await navigator.clipboard.writeText(this.plain());
      } catch {
        this.copyBySelection(); // not a secure context, or not allowed
      }
      this.copied = true;
      clearTimeout(this.copiedTimer);
      this.copiedTimer = setTimeout(() => (this.copied = false), COPIED_MS);
    },

    copyBySelection() {
      const area = document.createElement("textarea");
      area.value = this.plain();
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    },

    download() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([this.plain()], { type: "text/plain" }));
      link.download = this.file;
      link.click();
      URL.revokeObjectURL(link.href);
    },
  },
});

/**
 * @param {Line[]} lines
 * @returns {Record<number, Line>}
 */
function byKey(lines) {
  return Object.fromEntries(lines.map((line) => [line.key, line]));
}
