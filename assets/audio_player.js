/**
 * The live player on the page: a lane for each speaker (who speaks, how loud, mute, volume), a line about the sound, and details. `moduleUrl`
 * is the address of `LivePlayout`, which plays the sound; levels are drawn here and never leave the browser. `words` are the page's texts;
 * the page also brings the styles.
 *
 * @typedef {import("./live_playout.js").LivePlayout} LivePlayout
 * @typedef {import("./live_playout.js").StateChange} StateChange
 * @typedef {import("./live_playout.js").Speaker} Speaker
 * @typedef {import("./live_playout.js").Format} Format
 */
import { fill } from "fill";
import { canFloat, float } from "floating";
import { FORMATS, formatName, parseFormat } from "formats";
import { Lane } from "lane";
import { leaveMediaKeys, setPlaying, takeMediaKeys } from "media_keys";
import { MuteButton } from "mute_button";
import { TEMPLATE } from "player_template";
import { recallAutoGain, recallDevice, SoundOutput } from "sound_output";
import { explain, tellMissed } from "sound_words";
import { nameTab } from "tab_title";
import { marksOf } from "turns";
import { defineComponent } from "vue";

const REFRESH_MS = 400; // of the line about the sound
const WAKE_MS = 150; // after a silence the player needs this to skip to what is live
const LATE_S = 1.5; // further behind than this is not live,
const LIVE_S = 0.5; // until it is no further behind than this
const SILENT_S = 5; // after a pause of this length the line says how long it has been
const SILENT_STATES = ["idle", "ended", "stopped", "unsupported", "failed"];
const OVER_MS = 3000; // after the end of a call its last sound may still come

/** @type {{who: Speaker, row: string}[]} */
const SPEAKERS = [
  { who: "customer", row: "c" },
  { who: "assistant", row: "a" },
];

export default defineComponent({
  components: { MuteButton, SoundOutput },
  template: TEMPLATE,
  props: {
    url: String,
    moduleUrl: { type: String, required: true },
    autostart: Boolean,
    /** The server sends something at least every second. */
    heartbeat: Boolean,
    format: /** @type {import("vue").PropType<Format>} */ (Object),
    words: { type: Object, required: true },
    /** Who is called, for the system's media keys. */
    who: { type: String, default: "" },
    /** The call has ended. */
    over: Boolean,
    /** The call is being recorded. */
    recorded: Boolean,
  },
  emits: ["state", "event"],

  /** What Vue must not make reactive: the player has private fields, and lanes change 25 times a second. */
  setup() {
    return {
      player: /** @type {LivePlayout|null} */ (null),
      lanes: /** @type {Lane[]} */ ([]),
      reducedMotion: matchMedia("(prefers-reduced-motion: reduce)"),
      refresher: 0,
      wanted: false, // started, while the module may still be loading
      latest: /** @type {StateChange|null} */ (null),
      delayMs: 0, // between the coming of the sound and its playing
      unmounted: false,
      pausedAt: 0, // performance.now()
      end: 0, // timer
      canFloat,
      comeBack: () => {},
      mediaKeys: /** @type {import("media_keys").Actions|null} */ (null),
      devices: /** @type {(() => Promise<typeof import("./output_device.js")>)|undefined} */ (undefined),
    };
  },

  data() {
    return {
      speakers: SPEAKERS,
      state: /** @type {import("./live_playout.js").State} */ ("idle"),
      text: this.words.states.idle,
      announced: "",
      level: { customer: "", assistant: "" }, // dBFS
      floating: false,
      late: false, // too far behind to be called live
      mono: false,
      missed: /** @type {import("./live_playout.js").Missed|null} */ (null),
      deviceMissing: false,
      opened: false, // "About the sound"
      problem: "", // why Vapi gives no sound
      spread: true,
      staysLive: false,
      formats: FORMATS,
      chosen: "",
      details: /** @type {[string, string][]} */ ([]),
      muted: { customer: false, assistant: false },
      volume: { customer: 1, assistant: 1 },
      speaking: { customer: false, assistant: false },
    };
  },

  computed: {
    /** What the page calls the state: "playing" only while the sound is heard live. */
    shown() {
      return this.late ? "catching-up" : this.state;
    },

    note() {
      const missed = this.missed ? tellMissed(this.missed, this.recorded, this.words) : "";
      return this.deviceMissing ? `${this.words.deviceMissing} ${missed}` : missed;
    },
  },

  async mounted() {
    const canvas = (/** @type {Speaker} */ who) => /** @type {HTMLCanvasElement[]} */ (this.$refs[who])[0];
    this.lanes = SPEAKERS.map(({ who }) => new Lane(canvas(who), who));
    /** @type {typeof import("./live_playout.js")} */
    let module;
    try {
      module = await import(this.moduleUrl); // before the click: sound may only start within it
    } catch (error) {
      this.showState({ state: "failed", detail: String(error) });
      return;
    }
    if (this.unmounted) return;
    const player = new module.LivePlayout({
      url: () => this.url,
      onState: (change) => this.showState(change),
      onEvent: (event) => this.take(event),
      onLevels: (levels) => this.show(levels),
      onMissed: (missed) => (this.missed = missed),
      format: this.override(),
      heartbeat: this.heartbeat,
      staysLive: this.staysLive,
      onDevice: ({ missing }) => (this.deviceMissing = missing),
      device: recallDevice(),
      autoGain: recallAutoGain(),
    });
    this.player = player;
    this.devices = module.LivePlayout.devices;
    this.mediaKeys = { play: () => this.start(), pause: () => this.stop() };
    for (const { who } of SPEAKERS) this.passGain(who);
    player.setSpread(this.spread);
    if (this.wanted || (this.autostart && this.url)) player.start();
  },

  beforeUnmount() {
    this.unmounted = true;
    this.player?.stop();
    clearInterval(this.refresher);
    clearTimeout(this.end);
    nameTab({ sound: "" });
    this.offerMediaKeys("ended");
    this.comeBack();
    for (const lane of this.lanes) lane.release();
  },

  watch: {
    url: "changeUrl",
    format: "changeFormat",
    over: "finish",
  },

  methods: {
    changeUrl() {
      this.player?.setUrl(() => this.url);
      if (this.url && this.autostart && this.state === "idle") this.start();
    },

    changeFormat() {
      this.player?.setFormat(this.override());
    },

    /** A player whose call has ended ends, even if no socket says so. */
    finish() {
      clearTimeout(this.end);
      if (this.over) this.end = setTimeout(() => this.player?.finish(), OVER_MS);
    },

    /** Into a window of its own, until that is closed. */
    async leave() {
      this.floating = true;
      try {
        this.comeBack = await float(/** @type {HTMLElement} */ (this.$el), () => this.cameBack());
        if (this.unmounted) this.comeBack();
      } catch (error) {
        console.info("no window of its own:", error); // the browser allows none now
        this.cameBack();
      }
    },

    cameBack() {
      this.floating = false;
      this.comeBack = () => {};
    },

    open() {
      this.opened = true;
      return this.inform();
    },

    /** @param {import("./live_playout.js").State} state */
    offerMediaKeys(state) {
      if (!this.mediaKeys) return;
      const file = this.moduleUrl.replace(/[^/]*$/, "silence.flac");
      if (state === "playing") takeMediaKeys(this.mediaKeys, this.who, file);
      else if (state === "stopped") setPlaying(this.mediaKeys, false);
      else if (state === "ended") leaveMediaKeys(this.mediaKeys);
    },

    jump() {
      this.late = false;
      this.player?.jumpToLive();
    },

    /** Call it in the user's click: `getElement(id).start()`. */
    start() {
      this.wanted = true;
      this.missed = null;
      this.player?.setDevice(recallDevice()); // another call's player may have changed it
      this.player?.setAutoGain(recallAutoGain());
      this.problem = "";
      return this.player?.start();
    },

    stop() {
      this.wanted = false;
      this.player?.stop();
    },

    /**
     * @param {Speaker} who
     * @param {number} gain 0..1
     */
    setGain(who, gain) {
      this.volume[who] = gain;
      this.muted[who] = false;
      this.passGain(who);
    },

    /** @param {boolean} on each speaker in an ear of their own; else both in both */
    setSpread(on) {
      this.spread = Boolean(on);
      this.player?.setSpread(this.spread);
    },

    /** @param {boolean} on skip ahead when more than 3 s behind; else no word is lost */
    setStayLive(on) {
      this.staysLive = Boolean(on);
      this.player?.setStayLive(this.staysLive);
    },

    /**
     * Overrides the stream's format.
     * @param {string} name one of FORMATS; "": no override
     */
    hearAs(name) {
      this.chosen = name;
      this.changeFormat();
    },

    /** @returns {Format|null} */
    override() {
      if (!this.chosen) return this.format ?? null;
      return parseFormat(this.chosen);
    },

    /** @param {string} name one of FORMATS */
    nameOf(name) {
      return formatName(name, this.words);
    },

    getStats() {
      return this.player?.stats() ?? { state: this.state };
    },

    /** @param {Speaker} who */
    toggle(who) {
      this.muted[who] = !this.muted[who];
      this.passGain(who);
    },

    /** @param {Speaker} who */
    passGain(who) {
      const from = this.mono ? "customer" : who; // the one lane that is shown
      this.player?.setGain(who, this.muted[from] ? 0 : this.volume[from]);
      if (this.mono && who === "customer") this.passGain("assistant");
    },

    /** @param {StateChange} change */
    async showState(change) {
      const { state, detail } = change;
      clearInterval(this.refresher);
      this.latest = change;
      if (state === "failed") console.warn("The player failed:", detail); // technical: the page's words are shown instead
      if (state === "gap") this.pausedAt = performance.now();
      if (state === "playing" && this.state === "no-device") await new Promise((resolve) => setTimeout(resolve, WAKE_MS));
      const stats = state === "playing" || state === "ended" ? await this.inform() : null; // at the end the final figures
      if (this.latest !== change || this.unmounted) return;
      this.state = state;
      this.late = false;
      this.offerMediaKeys(state);
      this.tell(stats);
      this.announced = state === "playing" ? this.words.playing : this.text;
      if (state === "playing" || state === "gap") this.refresher = setInterval(() => this.refresh(), REFRESH_MS);
      if (state !== "playing") {
        this.speaking = { customer: false, assistant: false };
        this.level = { customer: "", assistant: "" };
      }
      this.$emit("state", { state, detail, text: this.text });
    },

    /** @param {any} event of the stream */
    take(event) {
      if (event?.type === "listen-problem") this.problem = fill(this.words.problem, { detail: event.detail });
      else if (event?.type === "stream" && event.state === "connected") this.problem = "";
      this.$emit("event", event);
    },

    async refresh() {
      const stats = await this.inform();
      if (!this.unmounted) this.tell(stats); // else it would name the tab after a player that is gone
    },

    /** @param {any} stats */
    tell(stats) {
      const { state, words } = this;
      this.late = state === "playing" && stats?.delay > (this.late ? LIVE_S : LATE_S);
      const paused = Math.round((performance.now() - this.pausedAt) / 1000);
      if (state === "playing") this.text = this.late ? words.catchingUp : words.live;
      else if (state === "gap" && paused >= SILENT_S) this.text = fill(words.silent, { seconds: paused });
      else if (state === "no-device" && this.latest?.detail) this.text = words.needsWindow;
      else this.text = words.states[state === "unsupported" && !isSecureContext ? "insecure" : state];
      nameTab({ sound: SILENT_STATES.includes(state) ? "" : this.text });
    },

    /** Asks for statistics, and shows them in the details. */
    async inform() {
      const stats = await this.player?.stats();
      this.delayMs = 1000 * (stats?.delay ?? 0);
      if (!stats?.format) return stats;
      this.details = explain(stats, this.words);
      const mono = stats.format.channels === 1;
      if (mono !== this.mono) {
        this.mono = mono;
        for (const { who } of SPEAKERS) this.passGain(who);
      }
      return stats;
    },

    /**
     * Marks what was measured of these turns. How long ago they were is what counts: the clocks of the server and of this machine differ.
     * @param {{now: number, turns: import("turns").Turn[]}} measured ms since 1970, by the server's clock
     */
    mark({ now, turns }) {
      const here = performance.now() - now;
      const marks = marksOf(turns).map((mark) => ({ ...mark, from: mark.from + here, to: mark.to + here }));
      for (const lane of this.lanes) lane.turnMarks = marks.filter(({ speaker }) => speaker === lane.who);
    },

    /**
     * @param {PointerEvent} event
     * @param {number} lane
     */
    explainMark(event, lane) {
      const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
      canvas.title = this.lanes[lane]?.explain(event.offsetX, event.offsetY) ?? "";
    },

    /** @param {import("./live_playout.js").Levels} levels */
    show(levels) {
      const cameAt = performance.now() - this.delayMs;
      for (const lane of this.lanes) {
        const { who } = lane;
        const speaks = lane.add(levels[who], levels, cameAt);
        if (speaks !== this.speaking[who]) this.speaking[who] = speaks;
        if (!document.hidden || this.floating) lane.paint(this.reducedMotion.matches);
        if (lane.figure !== this.level[who]) this.level[who] = lane.figure;
      }
    },
  },
});
