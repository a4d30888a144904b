/**
 * The AudioWorkletProcessor around `playout.js`.
 *
 * @typedef {import("../types/messages.js").ToWorklet} ToWorklet
 * @typedef {import("../types/messages.js").FromWorklet} FromWorklet
 * @typedef {import("../types/messages.js").Sound} Sound
 */
import { Playout } from "./playout/playout.js";

const LEVELS_HZ = 25; // the eye sees no difference above that
const WAKE_S = 3; // more than this behind the wall clock at once: the computer slept, or the sound device stood still
const SETTLE_S = 1.5; // for so long after it old sound may come

class PlayoutProcessor extends AudioWorkletProcessor {
  #playout = new Playout(sampleRate);
  /** @type {import("./playout/playout.js").Mode} */
  #mode = "waiting";
  #levels = new Float32Array(4);
  /** @type {FromWorklet} posted again and again: `process` creates no garbage */
  #heard = { levels: this.#levels, gap: false, catchesUp: false };
  #sinceLevels = 0; // samples
  #stopped = false;
  #tickedAt = Infinity; // seconds of the wall clock
  #settledAt = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#onPage(data);
  }

  /**
   * @param {Float32Array[][]} _
   * @param {Float32Array[][]} outputs
   */
  process(_, outputs) {
    if (this.#stopped) return false;
    const left = outputs[0][0];
    const right = outputs[0][1];
    this.#playout.pull(left, right);
    if (this.#playout.mode !== this.#mode) this.#postMode();
    this.#sinceLevels += left.length;
    if (this.#sinceLevels >= sampleRate / LEVELS_HZ) {
      this.#sinceLevels -= sampleRate / LEVELS_HZ; // not set to 0, which would give fewer than 25 per second
      this.#watchClock(Date.now() / 1000);
      this.#playout.takeLevels(this.#levels);
      this.#heard.gap = this.#mode !== "playing";
      this.#heard.catchesUp = this.#playout.catchesUp;
      this.#post(this.#heard);
    }
    return this.#mode !== "drained";
  }

  /**
   * Compares the output's clock with the wall clock.
   * @param {number} now seconds
   */
  #watchClock(now) {
    const passed = now - this.#tickedAt;
    this.#tickedAt = now;
    if (passed > WAKE_S) {
      this.#playout.wake();
      this.#settledAt = now + SETTLE_S;
    }
    if (now < this.#settledAt) return this.#playout.settle(passed < 0.5 / LEVELS_HZ);
    const missed = this.#playout.takeUnheard();
    if (missed) this.#post({ missed });
  }

  /** @param {FromWorklet} message */
  #post(message) {
    this.port.postMessage(message);
  }

  #stats() {
    return { ...this.#playout.stats(), timestamp: currentTime };
  }

  #postMode() {
    this.#mode = this.#playout.mode;
    this.#post({ mode: this.#mode, stats: this.#stats() });
  }

  /** @param {ToWorklet} message */
  #onPage({ audio, gain, autoGain, spread, format, staysLive, live, stats, stop }) {
    if (audio) audio.onmessage = ({ data }) => this.#onSound(data);
    if (gain) this.#playout.setGain(...gain);
    if (autoGain !== undefined) this.#playout.setAutoGain(autoGain);
    if (spread !== undefined) this.#playout.setSpread(spread);
    if (format !== undefined) this.#playout.setFormat(format);
    if (staysLive !== undefined) this.#playout.setStayLive(staysLive);
    if (live) this.#playout.skipToLive();
    if (stats) this.#post({ stats: this.#stats() });
    if (stop) this.#stopped = true;
  }

  /** @param {Sound} message */
  #onSound({ pcm, at = 0, start, dropped, end }) {
    if (dropped) this.#playout.drop(dropped);
    if (pcm) {
      if (this.#tickedAt === Infinity) this.#tickedAt = at; // if the output begins long after that, it begins live
      this.#playout.push(new Uint8Array(pcm), at);
    }
    if (start) this.#playout.start(start);
    if (end) this.#playout.end();
  }
}

registerProcessor("earshot-playout", PlayoutProcessor);
