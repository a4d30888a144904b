/**
 * What is said in a call, as bubbles. Lines are `{key, speaker, text, at, final}`, `at` in ms since 1970; one with a known key replaces the
 * line that stood there, as a partial is replaced by what follows it. All of it is text: markup in it is shown, never run.
 */
import { exact, lasting } from "times";

const NEAR = 48; // CSS pixels from the bottom within which a reader counts as following
const TOLD = 2000; // ms for which a button says that it did what it says

export default {
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
      <div v-show="sorted.length" class="talk" ref="talk" tabindex="0" role="group" :aria-label="words.title" @scroll.passive="scrolled">
        <div v-for="line in sorted" :key="line.key" class="bubble" :class="[line.speaker, { open: !line.final }]" :data-final="String(line.final)">
          <small>{{ heading(line) }}</small>
          <span class="said">{{ line.text }}</span>
        </div>
      </div>
      <button v-if="missed" type="button" class="btn small newer" @click="follow">{{ words.newer }}</button>
      <div class="sr-only" role="log" aria-live="polite"><p v-for="line in spoken" :key="line.key">{{ words[line.speaker] }}: {{ line.text }}</p></div>
      <span class="sr-only" role="status">{{ copied ? words.copied : "" }}</span>
    </div>`,
  props: { initial: Array, since: Number, empty: String, words: Object, file: String },

  data() {
    return { lines: Object.fromEntries(this.initial.map((line) => [line.key, line])), spoken: [], missed: false, copied: false };
  },

  computed: {
    sorted() {
      return Object.values(this.lines).sort((a, b) => a.key - b.key);
    },
  },

  mounted() {
    this.follow();
  },

  beforeUnmount() {
    clearTimeout(this.telling);
  },

  methods: {
    put(lines) {
      const { talk } = this.$refs;
      const following = talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR;
      for (const line of lines) {
        if (line.final && !this.lines[line.key]?.final) this.spoken = [...this.spoken.slice(-4), line];
        this.lines[line.key] = line;
      }
      if (following) this.$nextTick(this.follow);
      else this.missed = true;
    },

    /** Another account of the whole call. */
    replace(lines) {
      this.lines = Object.fromEntries(lines.map((line) => [line.key, line]));
    },

    follow() {
      const { talk } = this.$refs;
      this.missed = false;
      talk.scrollTop = talk.scrollHeight;
    },

    scrolled() {
      const { talk } = this.$refs;
      if (talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR) this.missed = false;
    },

    heading(line) {
      const who = this.words[line.speaker] ?? line.speaker;
      return line.final ? `${who} ${this.time(line)}` : `${who}, ${this.words.speaking}`;
    },

    /** Since the call was answered, or of the day where that is not known. */
    time({ at }) {
      return this.since ? lasting((at - this.since) / 1000) : exact(at);
    },

    plain() {
      return this.sorted.map((line) => `[${this.time(line)}] ${this.words[line.speaker] ?? line.speaker}: ${line.text}\n`).join("");
    },

    async copy() {
      try {
        await navigator.clipboard.writeText(this.plain());
      } catch {
        this.copyBySelection(); // not a secure context, or not allowed
      }
      this.copied = true;
      clearTimeout(this.telling);
      this.telling = setTimeout(() => (this.copied = false), TOLD);
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
};
