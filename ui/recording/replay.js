/**
 * Plays a recorded call: the waveform of both speakers, to seek in, the sound, and the transcript, which follows. `base` is the address of
 * its files (`peaks.json`, `transcript.json`, `1.flac`, ...), `words` are all texts it shows. The transcript is shown as text, never as
 * markup.
 *
 * @typedef {import("./waveform.js").Lane} Lane
 * @typedef {import("./waveform.js").Hole} Hole
 * @typedef {{startedAt: string, parts: import("./waveform.js").Part[], marks: (Hole & {kind: string})[], seconds: number}} Peaks `peaks.json`
 * @typedef {{lines: import("./replay_lines.js").Line[]}} Transcript `transcript.json`
 */
import { ClipBar, endOfKey, newClip, span, withEnd } from "clip";
import { fill } from "fill";
import { MuteButton } from "mute_button";
import { RecordedSound } from "recorded_sound";
import { ReplayLines } from "replay_lines";
import { Stereo } from "stereo";
import { lasting } from "times";
import { figuresOf, marksOf } from "turns";
import { defineComponent } from "vue";
import { Waveform } from "waveform";

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const SPEEDS = [1, 1.25, 1.5, 2];
/** @type {Record<string, number>} seconds by key, as in other players */
const STEPS_S = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity };

/** @param {number} time in seconds */
const toTenth = (time) => Math.max(0, time).toFixed(1);

export default defineComponent({
  components: { ClipBar, MuteButton, ReplayLines },
  template: `
    <section class="replay" data-testid="replay" :data-state="state" :aria-label="words.replay" :aria-busy="String(state === 'loading')"
      @keydown="pressForClip">
      <div v-if="state === 'failed'" class="replay-failed">
        <p role="alert">{{ words.failed }}</p>
        <button type="button" class="btn" @click="begin">{{ words.again }}</button>
      </div>
      <template v-else>
        <div class="replay-lanes">
          <div v-for="who in speakers" :key="who" class="replay-name" :class="who">
            <span>{{ words[who] }}</span>
            <mute-button v-if="speakers.length > 1" :muted="muted[who]" :aria-label="words['mute_' + who]" @click="mute(who)"></mute-button>
          </div>
          <div class="replay-wave" ref="wave" role="slider" tabindex="0" data-testid="replay-wave" :aria-label="words.seek" aria-valuemin="0"
            :aria-valuemax="Math.round(seconds)" :aria-valuenow="Math.round(time)" :aria-valuetext="position"
            @keydown="press" @pointerdown="grab" @pointermove="drag" @pointerleave="leave">
            <span v-if="clip" class="replay-clip" :style="span(clip, seconds)" aria-hidden="true"></span>
            <canvas ref="canvas" aria-hidden="true"></canvas>
            <span v-if="pointed !== null" class="replay-pointed" :style="at(pointed)" aria-hidden="true"><b>{{ lasting(pointed) }}<template v-if="mark"> · {{ mark.text }}</template></b></span>
            <span v-if="seconds" class="replay-head" :style="at(time)" aria-hidden="true"></span>
          </div>
        </div>
        <p v-if="marks.length" class="lane-key replay-key" aria-hidden="true">
          <span><i class="answer"></i>{{ words.key_answer }}</span><span><i class="interruption"></i>{{ words.key_interruption }}</span>
        </p>
        <div class="foot">
          <button type="button" class="btn replay-play" data-testid="replay-play" :disabled="state === 'loading'" @click="toggle">
            <svg width="18" height="18" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
              <path v-if="state === 'playing'" d="M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" />
              <path v-else d="M8 5.2v13.6a.7.7 0 0 0 1.1.6l10-6.8a.7.7 0 0 0 0-1.2l-10-6.8a.7.7 0 0 0-1.1.6z" />
            </svg>{{ state === "playing" ? words.pause : words.play }}
          </button>
          <span class="replay-time"><b data-testid="replay-time">{{ lasting(time) }}</b> / {{ lasting(seconds) }}</span>
          <div class="replay-speeds" role="group" :aria-label="words.speed">
            <button v-for="rate in rates" :key="rate" type="button" :aria-pressed="String(rate === speed)" @click="setSpeed(rate)">
              {{ rate }}×
            </button>
          </div>
          <label v-if="speakers.length > 1" class="switch">
            <input type="checkbox" role="switch" :checked="!spread" @change="setSpread(!$event.target.checked)" />{{ words.both_ears }}
          </label>
          <span class="grow"></span>
          <button v-if="notable" type="button" class="btn small" data-testid="note-here" @click="$emit('note', Number(time.toFixed(1)))">
            {{ words.note }}
          </button>
          <button v-if="clipped" type="button" class="btn small" data-testid="clip-open" :disabled="state === 'loading'"
            :aria-expanded="String(Boolean(clip))" @click="clip = clip ? null : newClip(time, seconds)">
            {{ words.clip }}
          </button>
          <slot></slot>
        </div>
        <clip-bar v-if="clip" :clip="clip" :time="time" :seconds="seconds" :seams="seams" :longest="clipped" :base="base" :words="words"
          @set="setClip"></clip-bar>
        <p v-for="hole in holes" :key="hole" class="replay-note">{{ hole }}</p>
        <replay-lines v-if="lines.length" ref="lines" :lines="lines" :figures="figures" :current="current" :words="words" @seek="seek"></replay-lines>
        <p v-else-if="state !== 'loading'" class="replay-note">{{ words.no_transcript }}</p>
      </template>
      <span v-if="state === 'loading'" class="sr-only" role="status">{{ words.loading }}</span>
    </section>`,
  props: {
    base: { type: String, required: true },
    words: { type: Object, required: true },
    start: { type: Number, default: 0 },
    /** Where it begins, in ms since 1970, if not at `start`. */
    startAt: { type: Number, default: undefined },
    /** What was measured of the conversation. */
    turns: { type: /** @type {import("vue").PropType<import("turns").Turn[]>} */ (Array), default: () => [] },
    notable: Boolean,
    /** How many seconds a clip may have; 0: there are no clips of this recording. */
    clipped: { type: Number, default: 0 },
  },
  emits: ["line", "note"],

  /** What Vue must not make reactive. */
  setup() {
    return {
      sound: /** @type {RecordedSound|null} */ (null),
      stereo: /** @type {Stereo|null} */ (null),
      waveform: /** @type {Waveform|null} */ (null),
      unmounted: false,
      ticking: 0,
    };
  },

  data() {
    return {
      state: "loading",
      seconds: 0,
      time: this.start,
      pointed: /** @type {number|null} */ (null),
      mark: /** @type {import("turns").Mark|undefined} */ (undefined), // under the pointer
      startedAt: 0, // ms since 1970
      lines: /** @type {Transcript["lines"]} */ ([]),
      holes: /** @type {string[]} */ ([]),
      clip: /** @type {import("./clip.js").Clip|null} */ (null),
      seams: /** @type {number[]} */ ([]),
      speed: 1,
      rates: SPEEDS,
      spread: true,
      mono: false,
      muted: { customer: false, assistant: false, both: false },
    };
  },

  computed: {
    /** @returns {Lane[]} */
    speakers() {
      return this.mono ? ["both"] : ["customer", "assistant"];
    },
    /** @returns {string} */
    position() {
      return fill(this.words.position, { now: lasting(this.time), all: lasting(this.seconds) });
    },
    /** @returns {import("turns").Mark[]} in seconds of the recording */
    marks() {
      if (!this.seconds) return [];
      const within = (/** @type {number} */ at) => (at - this.startedAt) / 1000;
      return marksOf(this.turns)
        .map((mark) => ({ ...mark, from: within(mark.from), to: within(mark.to) }))
        .filter(({ from, to }) => to > 0 && from < this.seconds);
    },
    /** @returns {Record<number, string>} */
    figures() {
      return figuresOf(
        this.lines.map(({ speaker, at }) => ({ speaker, at: this.startedAt + 1000 * at })),
        this.turns,
      );
    },
    /** @returns {number} */
    current() {
      return this.lines.findLastIndex(({ at }) => at <= this.time);
    },
  },

  watch: {
    current: "emitLine",
    marks: "drawMarks",
  },

  mounted() {
    this.begin();
  },

  beforeUnmount() {
    this.unmounted = true;
    cancelAnimationFrame(this.ticking);
    this.close();
  },

  methods: {
    lasting,
    newClip,
    span,

    /** @param {number} line */
    emitLine(line) {
      this.$emit("line", line);
    },

    async begin() {
      this.close();
      this.state = "loading";
      try {
        const [peaks, transcript] = await Promise.all([this.load("peaks.json"), this.load("transcript.json")]);
        if (!this.unmounted) this.open(peaks, transcript);
      } catch (error) {
        console.info("no recording:", error);
        this.state = "failed";
      }
    },

    close() {
      for (const part of [this.sound, this.stereo, this.waveform]) part?.release();
      this.sound = this.stereo = this.waveform = null;
    },

    /** @param {string} name */
    address(name) {
      return `${this.base}/${name}`;
    },

    /** @param {string} name */
    async load(name) {
      const answer = await fetch(this.address(name));
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
      return answer.json();
    },

    /**
     * @param {Peaks} peaks
     * @param {Transcript} transcript
     */
    open({ startedAt, parts, marks, seconds }, transcript) {
      const holes = marks.filter(({ kind }) => kind !== "stall"); // a stall leaves no gap in the recording
      this.seconds = seconds;
      this.startedAt = Date.parse(startedAt);
      this.mono = parts.every((part) => part.lanes.length === 1);
      this.seams = parts.slice(1).map(({ at }) => at);
      this.lines = transcript.lines;
      this.holes = holes.map((hole) => this.describe(hole));
      this.sound = new RecordedSound(parts, { address: (name) => this.address(name), onStop: (reason) => this.onStop(reason) });
      this.sound.setSpeed(this.speed);
      this.waveform = new Waveform(/** @type {HTMLCanvasElement} */ (this.$refs.canvas), { parts, holes, seconds }, this.speakers);
      for (const who of this.speakers) this.waveform.mute(who, this.muted[who]);
      this.drawMarks();
      this.state = "paused";
      if (this.startAt === undefined) this.seek(this.time);
      else this.seekTime(this.startAt);
    },

    drawMarks() {
      this.waveform?.setMarks(this.marks);
    },

    /** @param {number} at ms since 1970 */
    seekTime(at) {
      this.seek((at - this.startedAt) / 1000);
    },

    /** @param {Hole & {kind: string}} hole */
    describe({ kind, at, seconds }) {
      if (kind === "takeover") {
        return fill(this.words.takeover, { start: toTenth(at - seconds), end: `${toTenth(at)} s` });
      }
      return fill(this.words.gap, { seconds: seconds.toFixed(1), time: lasting(at - seconds + 0.05) });
    },

    /** @param {import("./recorded_sound.js").StopReason} reason */
    onStop(reason) {
      if (reason === "ended") this.show(this.seconds);
      this.state = reason === "failed" ? "failed" : "paused";
    },

    async toggle() {
      if (!this.sound) return;
      if (this.state === "playing") {
        this.sound.pause();
        this.state = "paused";
        return;
      }
      if (this.time >= this.seconds) this.seek(0);
      this.state = "playing";
      this.stereo ??= new Stereo(this.sound.audio);
      this.stereo.resume();
      this.mix();
      await this.sound.play();
      this.tick();
    },

    mix() {
      this.stereo?.mix(this.muted, this.spread && !this.mono);
    },

    /** @param {Lane} who */
    mute(who) {
      this.muted[who] = !this.muted[who];
      this.mix();
      this.waveform?.mute(who, this.muted[who]);
    },

    /** @param {boolean} on */
    setSpread(on) {
      this.spread = on;
      this.mix();
    },

    /** @param {number} rate */
    setSpeed(rate) {
      this.speed = rate;
      this.sound?.setSpeed(rate);
    },

    /** @param {number} seconds */
    seek(seconds) {
      if (!this.sound) return;
      const time = Math.min(this.seconds, Math.max(0, seconds));
      this.sound.seek(time);
      /** @type {InstanceType<typeof ReplayLines>|undefined} */ (this.$refs.lines)?.rejoin();
      this.show(time);
    },

    /** @param {KeyboardEvent} event */
    press(event) {
      if (event.key === " " || event.key === "Enter") this.toggle();
      else if (event.key in STEPS_S) this.seek(this.time + STEPS_S[event.key]);
      else return;
      event.preventDefault();
    },

    /** @param {KeyboardEvent} event */
    pressForClip(event) {
      const end = this.clipped ? endOfKey(event) : null;
      if (!end) return;
      this.setClip(end, this.time);
      event.preventDefault();
    },

    /**
     * @param {import("./clip.js").End} end
     * @param {number} time
     */
    setClip(end, time) {
      this.clip = withEnd(this.clip ?? newClip(this.time, this.seconds), end, time, this.seconds);
    },

    wave() {
      return /** @type {HTMLElement} */ (this.$refs.wave);
    },

    /** @param {PointerEvent} event */
    grab(event) {
      if (event.button !== 0) return;
      const mark = this.markAt(event);
      if (mark) return this.seek(mark.from); // held, it is dragged from there only by a new press
      this.wave().setPointerCapture(event.pointerId);
      this.seek(this.timeAt(event));
    },

    /** @param {PointerEvent} event */
    drag(event) {
      this.pointed = this.seconds ? this.timeAt(event) : null;
      this.mark = this.markAt(event);
      if (this.wave().hasPointerCapture(event.pointerId)) this.seek(this.pointed ?? 0);
    },

    leave() {
      this.pointed = null;
      this.mark = undefined;
    },

    /** @param {PointerEvent} event */
    markAt(event) {
      const { left, top } = this.wave().getBoundingClientRect();
      return this.waveform?.markAt(event.clientX - left, event.clientY - top);
    },

    /** @param {PointerEvent} event */
    timeAt(event) {
      const { left, width } = this.wave().getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - left) / width)) * this.seconds;
    },

    /** @param {number} time */
    at(time) {
      return { left: `${(100 * time) / this.seconds}%` };
    },

    tick() {
      cancelAnimationFrame(this.ticking);
      if (this.state !== "playing" || this.unmounted || !this.sound) return;
      const now = Math.min(this.seconds, this.sound.time);
      // with reduced motion the playhead moves once a second
      if (!reducedMotion.matches || Math.floor(now) !== Math.floor(this.time)) this.show(now);
      this.ticking = requestAnimationFrame(() => this.tick());
    },

    /** @param {number} time */
    show(time) {
      this.time = time;
      this.waveform?.moveTo(time);
    },
  },
});
