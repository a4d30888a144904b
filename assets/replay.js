/**
 * A recorded call: the waveform of both speakers to seek in, its sound, and what was said, following. `base` is where its files are
 * (`peaks.json`, `transcript.json`, `1.flac`, ...), `words` every text it shows. What was said is shown as text and never as markup.
 */
const SPEEDS = [1, 1.25, 1.5, 2];
const PITCH = 4; // CSS pixels from bar to bar, as in the lanes of a live call
const STEP = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity };
const LEFT_ALONE = 4000; // ms after a reader scrolled in which the transcript does not follow

export function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

export default {
  template: `
    <section class="replay" data-testid="replay" :data-state="state" :aria-label="words.replay" :aria-busy="String(state === 'loading')">
      <div v-if="state === 'failed'" class="replay-failed">
        <p role="alert">{{ words.failed }}</p>
        <button type="button" class="btn" @click="begin">{{ words.again }}</button>
      </div>
      <template v-else>
        <div class="replay-lanes">
          <div v-for="s in speakers" :key="s.who" class="replay-name" :class="[s.who, { muted: muted[s.who] }]">
            <span>{{ words[s.who] }}</span>
            <button v-if="speakers.length > 1" type="button" class="mute" :aria-pressed="String(muted[s.who])"
              :aria-label="words['mute_' + s.who]" @click="mute(s.who)">
              <svg width="18" height="18" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
                <path d="M4 9v6h4l5 4V5L8 9z" />
                <path v-if="muted[s.who]" d="M16 9l5 6M21 9l-5 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
                <path v-else d="M16 9a4 4 0 0 1 0 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" fill="none" />
              </svg>
            </button>
          </div>
          <div class="replay-wave" ref="wave" role="slider" tabindex="0" data-testid="replay-wave" :aria-label="words.seek" aria-valuemin="0"
            :aria-valuemax="Math.round(seconds)" :aria-valuenow="Math.round(time)" :aria-valuetext="position"
            @keydown="press" @pointerdown="grab" @pointermove="drag" @pointerleave="pointed = null">
            <canvas ref="canvas" aria-hidden="true"></canvas>
            <span v-if="pointed !== null" class="replay-pointed" :style="at(pointed)" aria-hidden="true"><b>{{ clock(pointed) }}</b></span>
            <span v-if="seconds" class="replay-head" :style="at(time)" aria-hidden="true"></span>
          </div>
        </div>
        <div class="foot">
          <button type="button" class="btn replay-play" data-testid="replay-play" :disabled="state === 'loading'" @click="toggle">
            <svg width="18" height="18" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
              <path v-if="state === 'playing'" d="M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" />
              <path v-else d="M8 5.2v13.6a.7.7 0 0 0 1.1.6l10-6.8a.7.7 0 0 0 0-1.2l-10-6.8a.7.7 0 0 0-1.1.6z" />
            </svg>{{ state === "playing" ? words.pause : words.play }}
          </button>
          <span class="replay-time"><b data-testid="replay-time">{{ clock(time) }}</b> / {{ clock(seconds) }}</span>
          <div class="replay-speeds" role="group" :aria-label="words.speed">
            <button v-for="rate in rates" :key="rate" type="button" :aria-pressed="String(rate === speed)" @click="setSpeed(rate)">
              {{ rate }}×
            </button>
          </div>
          <label v-if="speakers.length > 1" class="switch">
            <input type="checkbox" role="switch" :checked="!spread" @change="setSpread(!$event.target.checked)" />{{ words.both_ears }}
          </label>
          <span class="grow"></span>
          <slot></slot>
        </div>
        <p v-for="hole in holes" :key="hole" class="replay-note">{{ hole }}</p>
        <ol v-if="lines.length" class="replay-lines" ref="lines" :aria-label="words.transcript" @wheel.passive="leave" @touchmove.passive="leave">
          <li v-for="(line, k) in lines" :key="k" :class="line.speaker">
            <button type="button" :aria-current="k === current ? 'true' : null" @click="seek(line.at)">
              <small>{{ words[line.speaker] ?? line.speaker }} {{ clock(line.at) }}</small>{{ line.text }}
            </button>
          </li>
        </ol>
        <p v-else-if="state !== 'loading'" class="replay-note">{{ words.no_transcript }}</p>
      </template>
      <span v-if="state === 'loading'" class="sr-only" role="status">{{ words.loading }}</span>
    </section>`,
  props: { base: String, words: Object },
  emits: ["state", "line"],

  data() {
    return {
      state: "loading",
      seconds: 0,
      time: 0,
      pointed: null,
      lines: [],
      holes: [],
      current: -1,
      speed: 1,
      rates: SPEEDS,
      spread: true,
      mono: false,
      muted: { customer: false, assistant: false },
    };
  },

  computed: {
    speakers() {
      return this.mono ? [{ who: "both" }] : [{ who: "customer" }, { who: "assistant" }];
    },
    position() {
      return fill(this.words.position, { now: clock(this.time), all: clock(this.seconds) });
    },
  },

  // what Vue must not wrap is kept off data()
  created() {
    this.parts = [];
    this.marks = [];
    this.part = null;
    this.audio = null;
    this.context = null;
    this.leftAt = -Infinity;
  },

  async mounted() {
    this.stillness = matchMedia("(prefers-reduced-motion: reduce)");
    this.darkness = matchMedia("(prefers-color-scheme: dark)");
    this.repaint = () => this.paint();
    this.darkness.addEventListener("change", this.repaint);
    this.sizes = new ResizeObserver(() => this.paint());
    await this.begin();
  },

  beforeUnmount() {
    this.gone = true;
    cancelAnimationFrame(this.ticking);
    this.sizes?.disconnect();
    this.darkness?.removeEventListener("change", this.repaint);
    this.close();
  },

  methods: {
    clock,

    async begin() {
      this.close();
      this.become("loading");
      try {
        const [peaks, transcript] = await Promise.all([this.load("peaks.json"), this.load("transcript.json")]);
        if (!this.gone) this.open(peaks, transcript);
      } catch (error) {
        console.info("no recording:", error);
        this.become("failed");
      }
    },

    close() {
      const audio = this.audio;
      this.audio = this.part = null;
      if (audio) {
        audio.pause();
        audio.removeAttribute("src"); // or the browser goes on loading
        audio.load();
      }
      this.context?.close();
      this.context = this.ears = null;
    },

    address(name) {
      return `${window.path_prefix || ""}${this.base}/${name}`;
    },

    async load(name) {
      const answer = await fetch(this.address(name));
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
      return answer.json();
    },

    open(peaks, transcript) {
      this.parts = peaks.parts;
      this.seconds = peaks.seconds;
      this.mono = peaks.parts.every((part) => part.lanes.length === 1);
      this.lines = transcript.lines;
      this.marks = peaks.marks.filter(({ kind }) => kind !== "stall"); // a stall took no time of the recording
      this.holes = this.marks.map(({ at, seconds }) => fill(this.words.gap, { seconds: seconds.toFixed(1), time: clock(Math.max(0, at - seconds + 0.05)) }));
      const audio = (this.audio = document.createElement("audio"));
      audio.preload = "metadata";
      audio.addEventListener("ended", () => this.next());
      audio.addEventListener("error", () => audio === this.audio && this.become("failed"));
      this.seek(this.time);
      this.become("paused");
      this.$nextTick(() => {
        this.sizes.disconnect();
        this.sizes.observe(this.$refs.wave);
      });
    },

    become(state) {
      this.state = state;
      this.$emit("state", state);
    },

    /** Makes `part` the one that plays, from `within` seconds on. */
    enter(part, within = 0) {
      if (part !== this.part) {
        this.part = part;
        this.audio.src = this.address(`${part.part}.flac`);
        this.audio.defaultPlaybackRate = this.audio.playbackRate = this.speed;
      }
      this.audio.currentTime = within;
    },

    next() {
      const after = this.parts[this.parts.indexOf(this.part) + 1];
      if (after) {
        this.enter(after);
        return this.sound();
      }
      this.show(this.seconds);
      this.become("paused");
    },

    async toggle() {
      if (this.state === "playing") {
        this.audio.pause();
        return this.become("paused");
      }
      if (this.time >= this.seconds) this.seek(0);
      this.become("playing");
      this.connect();
      await this.sound();
      this.tick();
    },

    async sound() {
      try {
        await this.audio.play();
      } catch (error) {
        // what interrupts it by seeking or by pausing has it play again, or not
        if (error.name !== "AbortError") this.become(error.name === "NotAllowedError" ? "paused" : "failed");
      }
    },

    /** Sound may only start in a click, so what mixes it is made in the first one. */
    connect() {
      if (this.context) return this.context.resume();
      this.context = new AudioContext();
      const splitter = this.context.createChannelSplitter(2);
      this.context.createMediaElementSource(this.audio).connect(splitter);
      this.ears = ["customer", "assistant"].map((who, channel) => {
        const gain = this.context.createGain();
        const pan = this.context.createStereoPanner();
        splitter.connect(gain, channel);
        gain.connect(pan).connect(this.context.destination);
        return { who, gain, pan, side: channel ? 1 : -1 };
      });
      this.mix();
    },

    mix() {
      for (const { who, gain, pan, side } of this.ears ?? []) {
        gain.gain.value = this.muted[who] ? 0 : 1;
        pan.pan.value = this.spread && !this.mono ? side : 0;
      }
    },

    mute(who) {
      this.muted[who] = !this.muted[who];
      this.mix();
      this.paint();
    },

    setSpread(on) {
      this.spread = on;
      this.mix();
    },

    setSpeed(rate) {
      this.speed = rate;
      this.audio.defaultPlaybackRate = this.audio.playbackRate = rate;
    },

    seek(seconds) {
      if (!this.audio) return;
      const time = Math.min(this.seconds, Math.max(0, seconds));
      const part = this.parts.findLast(({ at }) => at <= time) ?? this.parts[0];
      this.enter(part, Math.min(part.seconds, Math.max(0, time - part.at)));
      if (this.state === "playing") this.sound();
      this.leftAt = -Infinity;
      this.show(time);
    },

    press(event) {
      if (event.key === " " || event.key === "Enter") this.toggle();
      else if (event.key in STEP) this.seek(this.time + STEP[event.key]);
      else return;
      event.preventDefault();
    },

    grab(event) {
      if (event.button !== 0) return;
      this.$refs.wave.setPointerCapture(event.pointerId);
      this.seek(this.under(event));
    },

    drag(event) {
      this.pointed = this.seconds ? this.under(event) : null;
      if (this.$refs.wave.hasPointerCapture(event.pointerId)) this.seek(this.pointed);
    },

    under(event) {
      const { left, width } = this.$refs.wave.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - left) / width)) * this.seconds;
    },

    at(time) {
      return { left: `${(100 * time) / this.seconds}%` };
    },

    tick() {
      cancelAnimationFrame(this.ticking);
      if (this.state !== "playing" || this.gone) return;
      const now = Math.min(this.seconds, this.part.at + this.audio.currentTime);
      // where motion is not wanted the line goes from second to second
      if (!this.stillness.matches || Math.floor(now) !== Math.floor(this.time)) this.show(now);
      this.ticking = requestAnimationFrame(() => this.tick());
    },

    show(time) {
      this.time = time;
      this.paintPlayed();
      const current = this.lines.findLastIndex(({ at }) => at <= time);
      if (current === this.current) return;
      this.current = current;
      this.$emit("line", current);
      this.$nextTick(() => this.follow());
    },

    leave() {
      this.leftAt = performance.now();
    },

    follow() {
      const list = this.$refs.lines;
      const line = list?.children[this.current];
      if (!line || performance.now() - this.leftAt < LEFT_ALONE) return;
      const top = line.offsetTop - list.offsetTop - (list.clientHeight - line.clientHeight) / 2;
      list.scrollTo({ top, behavior: this.stillness.matches ? "auto" : "smooth" });
    },

    paintPlayed() {
      const bar = Math.floor((this.time / this.seconds) * this.bars);
      if (bar !== this.playedBar) this.paint();
    },

    paint() {
      const canvas = this.$refs.canvas;
      if (!canvas?.clientWidth || !this.parts.length) return;
      const [scale, width, height] = [window.devicePixelRatio || 1, canvas.clientWidth, canvas.clientHeight];
      const size = [Math.round(width * scale), Math.round(height * scale)];
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size; // clears, and costs
      const pen = canvas.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      this.bars = Math.max(1, Math.floor(width / PITCH));
      this.playedBar = Math.floor((this.time / this.seconds) * this.bars);
      const style = getComputedStyle(canvas);
      const tall = height / this.speakers.length;
      for (const mark of this.marks) this.paintHole(pen, mark, width, height, style);
      this.speakers.forEach(({ who }, lane) => {
        const hue = style.getPropertyValue(who === "both" ? "--accent" : `--${who}`).trim();
        const middle = tall * (lane + 0.5);
        pen.fillStyle = hue;
        for (let bar = 0; bar < this.bars; bar++) {
          const peak = this.peak(lane, bar);
          if (peak === null) continue;
          const half = Math.max(0.6, Math.sqrt(peak / 255) * (tall / 2 - 6));
          pen.globalAlpha = (this.muted[who] ? 0.35 : 1) * (bar < this.playedBar ? 1 : 0.42);
          pen.fillRect(bar * PITCH + 0.8, middle - half, 2.4, 2 * half);
        }
      });
      pen.globalAlpha = 1;
    },

    /** The highest peak under a bar; null where nothing was recorded. */
    peak(lane, bar) {
      const [from, to] = [(bar / this.bars) * this.seconds, ((bar + 1) / this.bars) * this.seconds];
      let highest = null;
      for (const { at, seconds, peaksPerSecond, lanes } of this.parts) {
        if (to <= at || from >= at + seconds) continue;
        const peaks = lanes[Math.min(lane, lanes.length - 1)];
        const first = Math.max(0, Math.floor((from - at) * peaksPerSecond));
        const end = Math.max(first + 1, Math.min(peaks.length, Math.ceil((to - at) * peaksPerSecond)));
        for (let k = first; k < end; k++) highest = Math.max(highest ?? 0, peaks[k] ?? 0);
      }
      return highest;
    },

    paintHole(pen, { at, seconds }, width, height, style) {
      const [left, right] = [Math.max(0, at - seconds), at].map((time) => (time / this.seconds) * width);
      pen.fillStyle = style.getPropertyValue("--wash").trim();
      pen.fillRect(left, 0, Math.max(2, right - left), height);
      pen.strokeStyle = style.getPropertyValue("--edge").trim();
      pen.beginPath();
      for (const x of [left, Math.max(left + 2, right)]) {
        pen.moveTo(Math.round(x) + 0.5, 0);
        pen.lineTo(Math.round(x) + 0.5, height);
      }
      pen.stroke();
    },
  },
};

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}
