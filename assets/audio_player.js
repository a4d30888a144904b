/**
 * The element on the page: two lanes (who speaks, how loud, mute, volume), a line about the sound, and its details. The sound itself is
 * `LivePlayout`'s, from the module that `moduleUrl` names; levels are drawn here and never leave the browser. `words` are the page's
 * texts, styling is the page's too: classes only.
 */
import { Lane } from "lane";
import { MuteButton } from "mute_button";
import { behind, explain } from "sound_words";

/** What a stream may be: rate in Hz, channels, encoding. */
const FORMATS = [8000, 16000, 24000, 44100, 48000].flatMap((rate) => [`${rate} 2 s16le`, `${rate} 1 s16le`]);
FORMATS.push("8000 2 mulaw", "8000 1 mulaw");

const SPEAKERS = [
  { who: "customer", row: "c" },
  { who: "assistant", row: "a" },
];

export default {
  components: { MuteButton },
  template: `
    <div class="audio-player">
      <div class="lanes">
        <div v-for="s in speakers" :key="s.who" class="lane" :class="[s.row, { muted: muted[s.who] }]">
          <div class="name">{{ words[s.who] }}<small>{{ spread ? words.ear[s.who] : words.bothEars }}{{ speaking[s.who] ? ", " + words.speaking : "" }}</small></div>
          <canvas class="wave" :ref="s.who" aria-hidden="true"></canvas>
          <div class="vol">
            <mute-button :muted="muted[s.who]" :aria-label="words.mute[s.who]" @click="toggle(s.who)"></mute-button>
            <input type="range" class="volume" min="0" max="1" step="0.05" :value="volume[s.who]" :aria-label="words.volume[s.who]"
              @input="setGain(s.who, $event.target.valueAsNumber)" />
          </div>
        </div>
      </div>
      <div class="foot">
        <slot></slot>
        <button v-if="state === 'blocked'" type="button" class="tap" @click="start">{{ words.tap }}</button>
        <span class="player-state" data-testid="player-state" :data-state="state">{{ text }}</span>
        <span class="sr-only" role="status">{{ announced }}</span>
        <span class="grow"></span>
        <slot name="end"></slot>
      </div>
      <details class="player-details" @toggle="inform">
        <summary>{{ words.about }}</summary>
        <dl>
          <div v-for="[term, words] in details" :key="term"><dt>{{ term }}</dt><dd>{{ words }}</dd></div>
        </dl>
        <label class="heard-as">
          <span>{{ words.hearAs }}<small>{{ words.hearAsMeans }}</small></span>
          <select @change="hearAs($event.target.value)">
            <option value="">{{ words.asTheCallSays }}</option>
            <option v-for="name in formats" :key="name" :value="name" :selected="name === chosen">{{ formatName(name) }}</option>
          </select>
        </label>
        <label class="stay-live">
          <input type="checkbox" :checked="staysLive" @change="setStayLive($event.target.checked)" />
          <span>{{ words.stayLive }}<small>{{ words.stayLiveMeans }}</small></span>
        </label>
      </details>
    </div>`,
  props: { url: String, moduleUrl: String, autostart: Boolean, format: Object, words: Object },
  emits: ["state", "event"],

  data() {
    return {
      speakers: SPEAKERS,
      state: "idle",
      text: this.words.states.idle,
      announced: "",
      spread: true,
      staysLive: false,
      formats: FORMATS,
      chosen: "",
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
    this.lanes = SPEAKERS.map(({ who }) => new Lane(this.$refs[who][0], who));
    let module;
    try {
      module = await import((window.path_prefix || "") + this.moduleUrl); // long before the click, in which there is no time for it
    } catch (error) {
      return this.hear({ state: "failed", detail: String(error) });
    }
    if (this.gone) return;
    this.player = new module.LivePlayout({
      url: () => this.address(),
      onState: (change) => this.hear(change),
      onEvent: (event) => this.$emit("event", event),
      onLevels: (levels) => this.show(levels),
      format: this.override(),
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

    format() {
      this.player?.setFormat(this.override());
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

    /** Has the stream taken for one of FORMATS, whatever it says; "": for what it says. */
    hearAs(name) {
      this.chosen = name;
      this.player?.setFormat(this.override());
    },

    override() {
      if (!this.chosen) return this.format ?? null;
      const [sampleRate, channels, encoding] = this.chosen.split(" ");
      return { sampleRate: Number(sampleRate), channels: Number(channels), encoding };
    },

    formatName(name) {
      const [rate, channels, encoding] = name.split(" ");
      const kilo = Number(rate) / 1000;
      return `${kilo.toLocaleString(document.documentElement.lang || "en")} kHz × ${channels}${encoding === "mulaw" ? ` ${this.words.mulaw}` : ""}`;
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
      if (state === "failed") console.warn("The player failed:", detail); // in its own words, which are no reader's
      const insecure = state === "unsupported" && !isSecureContext;
      const text = state === "playing" ? await this.behind() : this.words.states[insecure ? "insecure" : state];
      if (this.latest !== change || this.gone) return;
      this.state = state;
      this.text = text;
      this.announced = state === "playing" ? this.words.playing : text;
      if (state === "playing") this.refresher = setInterval(() => this.refresh(), 1000);
      else this.speaking = { customer: false, assistant: false };
      this.$emit("state", { state, detail, text });
    },

    async refresh() {
      const text = await this.behind();
      if (this.state === "playing") this.text = text;
    },

    async behind() {
      return behind(await this.inform(), this.words);
    },

    /** Asks how the sound does, and says it in the details. */
    async inform() {
      const stats = await this.player?.stats();
      if (stats?.format) this.details = explain(stats, this.words);
      return stats;
    },

    show(levels) {
      for (const lane of this.lanes) {
        const { who } = lane;
        const speaks = lane.add(levels[who], levels);
        if (speaks !== this.speaking[who]) this.speaking[who] = speaks;
        if (!document.hidden) lane.paint(this.stillness.matches);
      }
    },
  },
};
