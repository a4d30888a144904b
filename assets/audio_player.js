/**
 * The element on the page: two lanes (who speaks, how loud, mute, volume) and a line about the sound. The sound itself is `LivePlayout`'s,
 * from the module that `moduleUrl` names; levels are drawn here and never leave the browser. Styling is the page's: classes only.
 */
const SHOWN = 30; // seconds of the past in a lane
const LEVELS_PER_SECOND = 25;
const PITCH = 4; // CSS pixels from bar to bar
const SPEAKING = 0.006; // RMS, about -44 dBFS
const HANG = 0.6; // seconds of silence that still belong to a sentence
const STILL_EVERY = 8; // levels per picture where motion is not wanted: about three a second
const MOVING_EVERY = 2;

const SPEAKERS = [
  { who: "customer", name: "Customer", ear: "left ear", row: "c", color: "#b45309" },
  { who: "assistant", name: "Assistant", ear: "right ear", row: "a", color: "#4338ca" },
];

const WORDS = {
  idle: "Not listening",
  starting: "Starting the sound",
  waiting: "No sound from the call yet",
  gap: "The sound paused, it goes on where it stopped",
  reconnecting: "Connection lost, connecting again",
  blocked: "The browser waits for a tap before it plays sound",
  expired: "This page may not listen any more",
  ended: "The sound has ended",
  stopped: "Not listening",
};

/** WebRTC calls a gap from 0.15 s on an interruption; the shorter ones are hardly heard. */
function gapWords(gaps, interruptions) {
  if (gaps === 0) return "no gaps";
  return `${gaps}${interruptions === 0 ? " short" : ""} gap${gaps === 1 ? "" : "s"}`;
}

const GROUNDS = {
  operator: "as you set it",
  "start frame": "as the call announced it",
  measured: "as measured",
  assumed: "as is usual, the call did not say",
};

const seconds = (samples, rate) => (samples / rate).toFixed(1);

/** What `LivePlayout.stats()` says, as terms and sentences. */
function explain(stats) {
  const { sampleRate, channels, encoding, ground } = stats.format;
  const rate = stats.outputSampleRate;
  const sides = channels === 2 ? "each speaker apart" : "both speakers together";
  const ppm = Math.round(stats.drift);
  return [
    ["Delay", `${stats.delay.toFixed(2)} s behind the line's best, ${stats.targetDelay.toFixed(2)} s is what this line needs`],
    ["Gaps", gapWords(stats.concealmentEvents, stats.interruptionCount) + `, ${seconds(stats.concealedSamples, rate)} s in all`],
    ["Made good", `${seconds(stats.samplesCut, sampleRate)} s in pauses, ${seconds(stats.samplesStretched, sampleRate)} s by playing faster`],
    ["Left out", `${seconds(stats.samplesDiscarded, sampleRate)} s`],
    ["Format", `${sampleRate / 1000} kHz, ${sides}, ${encoding === "mulaw" ? "mu-law" : "16 bit"}, ${GROUNDS[ground]}`],
    ["Clock", Math.abs(ppm) < 20 ? "in step" : `the call's clock is ${Math.abs(ppm)} ppm ${ppm > 0 ? "fast" : "slow"}`],
    ["Device", `${stats.outputLatency.toFixed(2)} s more, ${rate / 1000} kHz`],
    ["Connection", stats.reconnects === 0 ? "never lost" : `lost ${stats.reconnects} time${stats.reconnects === 1 ? "" : "s"}`],
  ];
}

export default {
  template: `
    <div class="audio-player">
      <div class="lanes">
        <div v-for="s in speakers" :key="s.who" class="lane" :class="[s.row, { muted: muted[s.who] }]">
          <div class="name">{{ s.name }}<small>{{ spread ? s.ear : "both ears" }}{{ speaking[s.who] ? ", speaking" : "" }}</small></div>
          <canvas class="wave" :ref="s.who" aria-hidden="true"></canvas>
          <div class="vol">
            <button type="button" class="mute" :aria-pressed="String(muted[s.who])" :aria-label="'Mute ' + s.who" @click="toggle(s.who)">
              <svg width="18" height="18" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
                <path d="M4 9v6h4l5 4V5L8 9z" />
                <path v-if="muted[s.who]" d="M16 9l5 6M21 9l-5 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
                <path v-else d="M16 9a4 4 0 0 1 0 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" fill="none" />
              </svg>
            </button>
            <input type="range" class="volume" min="0" max="1" step="0.05" :value="volume[s.who]" :aria-label="s.name + ' volume'"
              @input="setGain(s.who, $event.target.valueAsNumber)" />
          </div>
        </div>
      </div>
      <div class="foot">
        <slot></slot>
        <button v-if="state === 'blocked'" type="button" class="tap" @click="start">Tap to hear</button>
        <span class="player-state" data-testid="player-state" :data-state="state">{{ text }}</span>
        <span class="sr-only" role="status">{{ announced }}</span>
        <span class="grow"></span>
        <slot name="end"></slot>
      </div>
      <details class="player-details" @toggle="inform">
        <summary>About the sound</summary>
        <dl>
          <div v-for="[term, words] in details" :key="term"><dt>{{ term }}</dt><dd>{{ words }}</dd></div>
        </dl>
        <label class="stay-live">
          <input type="checkbox" :checked="staysLive" @change="setStayLive($event.target.checked)" />
          Stay live: leap ahead when more than 3 s behind, even over words
        </label>
      </details>
    </div>`,
  props: { url: String, moduleUrl: String, autostart: Boolean, format: Object },
  emits: ["state", "event"],

  data() {
    return {
      speakers: SPEAKERS,
      state: "idle",
      text: WORDS.idle,
      announced: "",
      spread: true,
      staysLive: false,
      details: [],
      muted: { customer: false, assistant: false },
      volume: { customer: 1, assistant: 1 },
      speaking: { customer: false, assistant: false },
    };
  },

  // what Vue must not wrap is kept off data(): the player has private parts, and lanes change 25 times a second
  created() {
    this.player = null;
    this.lanes = [];
    this.refresher = 0;
  },

  async mounted() {
    this.stillness = matchMedia("(prefers-reduced-motion: reduce)");
    this.lanes = SPEAKERS.map((speaker) => new Lane(this.$refs[speaker.who][0], speaker));
    this.loading = import((window.path_prefix || "") + this.moduleUrl);
    let module;
    try {
      module = await this.loading; // long before the click, in which there is no time for it
    } catch (error) {
      return this.hear({ state: "failed", detail: `The player did not load: ${error}` });
    }
    if (this.gone) return;
    this.player = new module.LivePlayout({
      url: () => this.address(),
      onState: (change) => this.hear(change),
      onEvent: (event) => this.$emit("event", event),
      onLevels: (levels) => this.show(levels),
      format: this.format ?? null,
      staysLive: this.staysLive,
    });
    for (const { who } of SPEAKERS) this.passGain(who);
    this.player.setSpread(this.spread);
    if (this.wanted || (this.autostart && this.url)) this.player.start();
  },

  beforeUnmount() {
    this.gone = true;
    this.player?.stop();
    clearInterval(this.refresher);
    for (const lane of this.lanes) lane.release();
  },

  watch: {
    url(url) {
      this.player?.setUrl(() => this.address());
      if (url && this.autostart && this.state === "idle") this.start();
    },

    format(format) {
      this.player?.setFormat(format ?? null);
    },
  },

  methods: {
    /** Call it in the user's click: `getElement(id).start()`. */
    start() {
      this.wanted = true; // the module may still be on its way
      return this.player?.start();
    },

    stop() {
      this.wanted = false;
      this.player?.stop();
    },

    setGain(who, gain) {
      this.volume[who] = gain;
      this.muted[who] = false;
      this.passGain(who);
    },

    setSpread(on) {
      this.spread = Boolean(on);
      this.player?.setSpread(this.spread);
    },

    /** Leap ahead when more than 3 s behind; else no word is lost. */
    setStayLive(on) {
      this.staysLive = Boolean(on);
      this.player?.setStayLive(this.staysLive);
    },

    getStats() {
      return this.player?.stats() ?? { state: this.state };
    },

    toggle(who) {
      this.muted[who] = !this.muted[who];
      this.passGain(who);
    },

    passGain(who) {
      this.player?.setGain(who, this.muted[who] ? 0 : this.volume[who]);
    },

    address() {
      return this.url?.startsWith("/") ? (window.path_prefix || "") + this.url : this.url;
    },

    async hear(change) {
      const { state, detail } = change;
      clearInterval(this.refresher);
      this.latest = change;
      const text = state === "playing" ? await this.behind() : (WORDS[state] ?? detail);
      if (this.latest !== change || this.gone) return;
      this.state = state;
      this.text = text;
      this.announced = state === "playing" ? "Sound is playing" : text;
      if (state === "playing") this.refresher = setInterval(() => this.refresh(), 1000);
      else this.speaking = { customer: false, assistant: false };
      this.$emit("state", { state, detail, text });
    },

    async refresh() {
      const text = await this.behind();
      if (this.state === "playing") this.text = text;
    },

    async behind() {
      const stats = await this.inform();
      const { delay, concealmentEvents, interruptionCount } = stats;
      return `${delay.toFixed(2)} s behind, ${gapWords(concealmentEvents, interruptionCount)}`;
    },

    /** Asks how the sound does, and says it in the details. */
    async inform() {
      const stats = await this.player?.stats();
      if (stats?.format) this.details = explain(stats);
      return stats;
    },

    show(levels) {
      for (const lane of this.lanes) {
        const { who } = lane.speaker;
        const speaks = lane.add(levels[who], levels);
        if (speaks !== this.speaking[who]) this.speaking[who] = speaks;
        if (!document.hidden) lane.paint(this.stillness.matches);
      }
    },
  },
};

// what is marked in a lane, as bits
const SPEAKS = 1;
const GAP = 2;
const CATCHES_UP = 4;

/**
 * One speaker's last half minute as bars, newest on the right. Below them a line where this one speaks, above them one where it is
 * played faster; a gap in the sound is a hole in the row of bars, on a wash.
 */
class Lane {
  constructor(canvas, speaker) {
    this.canvas = canvas;
    this.speaker = speaker;
    this.peaks = new Float32Array(SHOWN * LEVELS_PER_SECOND).fill(-1); // -1: no sound came
    this.marks = new Uint8Array(this.peaks.length);
    this.count = 0;
    this.spoke = -Infinity;
    this.width = this.height = 0;
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.fit(contentRect));
    this.sizes.observe(canvas);
  }

  release() {
    this.sizes.disconnect();
  }

  fit({ width, height }) {
    const scale = window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(scale, scale);
    this.paintBars();
  }

  /** @returns {boolean} whether this one speaks */
  add({ peak, rms }, { gap, catchesUp }) {
    const at = this.count++ % this.peaks.length;
    if (rms > SPEAKING && !gap) this.spoke = this.count;
    const speaks = this.count - this.spoke < HANG * LEVELS_PER_SECOND;
    this.peaks[at] = gap ? -1 : peak;
    this.marks[at] = (speaks ? SPEAKS : 0) | (gap ? GAP : 0) | (catchesUp ? CATCHES_UP : 0);
    return speaks;
  }

  paint(still) {
    if (!this.width || this.count % (still ? STILL_EVERY : MOVING_EVERY)) return;
    if (still) this.paintMeter();
    else this.paintBars();
  }

  color() {
    // themes change while a call runs; asking for a style at every picture would cost more than the picture
    if (!this.hue || this.count - this.asked >= LEVELS_PER_SECOND) {
      this.hue = getComputedStyle(this.canvas).getPropertyValue(`--${this.speaker.who}`).trim() || this.speaker.color;
      this.asked = this.count;
    }
    return this.hue;
  }

  paintBars() {
    const { pen, width, height, peaks, marks, count } = this;
    const bars = Math.floor(width / PITCH);
    const perBar = Math.max(1, Math.round(peaks.length / Math.max(1, bars)));
    const newest = Math.floor(count / perBar); // bars lie on a fixed grid of time: they move, and do not change shape as they go
    const shown = ((count % perBar) / perBar) * PITCH; // of the newest, which comes in from the right
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.color();
    for (let bar = 0; bar < bars; bar++) {
      const first = (newest - bar) * perBar;
      const last = Math.min(count, first + perBar);
      if (last <= 0 || first < count - peaks.length) break;
      let [peak, marked] = [-1, 0];
      for (let k = Math.max(0, first); k < last; k++) {
        peak = Math.max(peak, peaks[k % peaks.length]);
        marked |= marks[k % marks.length];
      }
      const left = width - shown - bar * PITCH;
      const age = 1 - 0.65 * (bar / bars);
      this.mark(marked, left, age);
      if (peak < 0) continue;
      const tall = Math.max(1, loudness(peak) * (height / 2 - 5));
      pen.globalAlpha = age;
      pen.fillRect(left, height / 2 - tall, 2.4, 2 * tall);
    }
    pen.globalAlpha = 1;
  }

  mark(marked, left, age) {
    const { pen, height } = this;
    pen.globalAlpha = 0.12 * age;
    if (marked & GAP) pen.fillRect(left, 0, PITCH, height);
    pen.globalAlpha = age;
    if (marked & SPEAKS) pen.fillRect(left, height - 2, PITCH, 2);
    if (marked & CATCHES_UP) pen.fillRect(left, 0, PITCH / 2, 2);
  }

  paintMeter() {
    const { pen, width, height } = this;
    let peak = 0;
    for (let k = 1; k <= STILL_EVERY && k <= this.count; k++) peak = Math.max(peak, this.peaks[(this.count - k) % this.peaks.length]);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.color();
    pen.globalAlpha = 0.25;
    pen.fillRect(0, height / 2 - 2, width, 4);
    pen.globalAlpha = 1;
    pen.fillRect(0, height / 2 - 2, loudness(peak) * width, 4);
  }
}

/** A peak as a height: between amplitude, in which quiet speech is a line, and decibels, in which noise is a wall. */
function loudness(peak) {
  return Math.min(1, Math.sqrt(peak));
}
