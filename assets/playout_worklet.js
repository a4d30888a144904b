/**
 * The AudioWorkletProcessor around `playout.js`.
 *
 * From the page: `{audio: MessagePort}` (the socket's own port), `{gain: [who, 0..1]}`, `{spread}`, `{format}` (the operator's, or null),
 * `{staysLive}`, `{live: true}`, `{stats: true}`, `{stop: true}`. To the page: `{levels: [customer's peak, RMS, assistant's peak, RMS],
 * gap, catchesUp}` 25 times a second, `{mode, stats}` when the mode changes, `{stats}` when asked. From the socket: `{start}`, `{pcm: ArrayBuffer, at: seconds}`, `{end: true}`.
 */
import { Playout } from "./playout/playout.js";

const LEVELS_PER_SECOND = 25;

class PlayoutProcessor extends AudioWorkletProcessor {
  #playout = new Playout(sampleRate);
  #mode = "waiting";
  #levels = new Float32Array(4);
  #sinceLevels = 0;
  #stopped = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#obey(data);
  }

  process(_, [[left, right]]) {
    if (this.#stopped) return false;
    this.#playout.pull(left, right);
    if (this.#playout.mode !== this.#mode) this.#tellMode();
    this.#sinceLevels += left.length;
    if (this.#sinceLevels >= sampleRate / LEVELS_PER_SECOND) {
      this.#sinceLevels -= sampleRate / LEVELS_PER_SECOND; // and not 0, or 25 Hz would be less
      this.#playout.takeLevels(this.#levels);
      this.port.postMessage({ levels: this.#levels, gap: this.#mode !== "playing", catchesUp: this.#playout.catchesUp });
    }
    return this.#mode !== "drained";
  }

  #tellMode() {
    this.#mode = this.#playout.mode;
    this.port.postMessage({ mode: this.#mode, stats: this.#playout.stats() });
  }

  #obey(order) {
    if (order.audio) order.audio.onmessage = ({ data }) => this.#receive(data);
    if (order.gain) this.#playout.setGain(...order.gain);
    if ("spread" in order) this.#playout.setSpread(order.spread);
    if ("format" in order) this.#playout.setFormat(order.format);
    if ("staysLive" in order) this.#playout.setStayLive(order.staysLive);
    if (order.live) this.#playout.skipToLive();
    if (order.stats) this.port.postMessage({ stats: this.#playout.stats() });
    if (order.stop) this.#stopped = true;
  }

  #receive({ pcm, at, start, end }) {
    if (pcm) this.#playout.push(new Uint8Array(pcm), at);
    if (start) this.#playout.start(start);
    if (end) this.#playout.end();
  }
}

registerProcessor("earshot-playout", PlayoutProcessor);
