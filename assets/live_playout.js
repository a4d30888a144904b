/**
 * Plays a live call's audio WebSocket on any page: `new LivePlayout({ url, onState })`, then `start()` inside a click.
 *
 * A Worker owns the socket and passes its frames straight to an AudioWorklet, so that a busy page does not make the sound stutter. It needs
 * a secure context (https or localhost), but no SharedArrayBuffer, and so no cross-origin isolation.
 *
 * @typedef {"idle"|"starting"|"waiting"|"playing"|"gap"|"reconnecting"|"blocked"|"no-device"|"expired"|"ended"|"stopped"|"unsupported"|
 *   "failed"} State
 *   idle: not started. starting: loading. waiting: connected or connecting, nothing played yet. playing. gap: the stream stalled, and will
 *   continue where it broke off. reconnecting: the socket was lost, or is suspiciously silent, and another is being opened. blocked: the
 *   browser allows no sound until the user clicks. no-device: the sound device is gone or stands still; sound comes back with it, or where
 *   `detail` is "new window" perhaps only in one. expired: the url is not valid any more, `setUrl` continues. ended: the call is over and
 *   all of it was played. stopped: by `stop()`. unsupported: no AudioWorklet here, `detail` says what to do. failed: `detail` says why.
 * @typedef {{peak: number, rms: number}} Level 0..1 of full scale, of what is played now, before any gain
 * @typedef {{customer: Level, assistant: Level, gap: boolean, catchesUp: boolean}} Levels
 * @typedef {{state: State, detail: string}} StateChange
 * @typedef {{seconds: number, cause: "sleep"|"connection"|"device"|"blocked"}} Missed what could not be heard since the computer slept, the
 *   connection was lost, or the sound device stood still; `seconds` grow while more of the same cause comes out
 * @typedef {{device: string, missing: boolean}} DeviceUse `device`: the id of the one that plays, "" the system's own; `missing`: another was
 *   chosen, which is not there
 * @typedef {string|URL|(() => string|URL|null|undefined|Promise<string|URL|null|undefined>)} UrlSource ws, wss, http, https or a path; a
 *   function is called for each connection
 * @typedef {import("./playout/stream_format.js").Override} Format
 * @typedef {import("./playout/mixer.js").Speaker} Speaker
 */
import { LiveSession } from "./live_session.js";

const INSECURE = "Browsers play live sound only over https, or at http://localhost.";
const TOO_OLD = "Use a current Chrome, Edge, Firefox or Safari.";
const UNLOCK_MS = 120_000; // how long an unlocked context waits for its call
/** @type {(number|AudioContextLatencyCategory)[]} from the smallest buffer to the largest */
const LATENCY_HINTS = [0, "interactive", "playback"];

export class LivePlayout {
  /** @type {{context: AudioContext, timer: number}|null} */
  static #unlocked = null;
  static #hint = 0; // index in LATENCY_HINTS

  /** @type {LiveSession|null} */
  #session = null;
  /** @type {State} */
  #state = "idle";
  #detail = "";
  /** @type {object} */
  #lastStats = {};
  #settings;
  #onState;
  #onEvent;
  #onLevels;
  #onMissed;
  #onDevice;

  /**
   * @param {object} options
   * @param {UrlSource} options.url
   * @param {(change: StateChange) => void} [options.onState]
   * @param {(event: any) => void} [options.onEvent] each text frame of the stream that is JSON, parsed
   * @param {(levels: Levels) => void} [options.onLevels] 25 times a second
   * @param {(missed: Missed) => void} [options.onMissed]
   * @param {(use: DeviceUse) => void} [options.onDevice] a chosen device is used, or is not there any more, or is back
   * @param {string} [options.device] id of the device to play through, one that `LivePlayout.devices()` gave; "": the system's own
   * @param {boolean} [options.autoGain] brings both speakers to one loudness
   * @param {Format|null} [options.format] overrides what the stream announces
   * @param {boolean} [options.heartbeat] the server sends something at least every second, as Earshot does; else that is learned
   * @param {boolean} [options.staysLive] skip ahead when more than 3 s behind; else no word is lost
   */
  constructor({ url, format = null, heartbeat = false, staysLive = false, autoGain = true, device = "", ...handlers }) {
    const { onState = () => {}, onEvent = () => {}, onLevels = () => {}, onMissed = () => {}, onDevice = () => {} } = handlers;
    this.#settings = { url, format, heartbeat, staysLive, autoGain, device, spread: true, gains: { customer: 1, assistant: 1 } };
    this.#onState = onState;
    this.#onEvent = onEvent;
    this.#onLevels = onLevels;
    this.#onMissed = onMissed;
    this.#onDevice = onDevice;
  }

  /** Which devices there are to choose from, in `output_device.js`. */
  static devices() {
    return import("./output_device.js");
  }

  /** Call this in a click that will lead to a call: the next `start()`, within two minutes, then needs no click of its own. */
  static unlock() {
    if (!isSupported() || LivePlayout.#unlocked) return;
    const context = openContext(LATENCY_HINTS[LivePlayout.#hint]);
    const timer = setTimeout(() => LivePlayout.#takeUnlocked()?.close(), UNLOCK_MS);
    LivePlayout.#unlocked = { context, timer };
  }

  static #takeUnlocked() {
    const unlocked = LivePlayout.#unlocked;
    LivePlayout.#unlocked = null;
    clearTimeout(unlocked?.timer);
    return unlocked?.context ?? null;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** The AudioContext while there is one, else null. */
  get context() {
    return this.#session?.context ?? null;
  }

  /**
   * Starts, and resolves when sound can come. It never rejects: `onState` reports the outcome. While running it does nothing, except that
   * in a click it lifts "blocked". After an end it starts again.
   * @returns {Promise<void>}
   */
  start() {
    if (this.#session) {
      this.#session.resume();
      return this.#session.started;
    }
    if (!isSupported()) {
      this.#report("unsupported", globalThis.isSecureContext ? TOO_OLD : INSECURE);
      return Promise.resolve();
    }
    const session = new LiveSession(this.#settings, {
      onState: (state, detail) => this.#report(state, detail),
      onEvent: (event) => this.#onEvent(event),
      onLevels: (levels) => this.#onLevels(levels),
      onMissed: (missed) => this.#onMissed(missed),
      onDevice: (use) => this.#onDevice(use),
      onStats: (stats) => (this.#lastStats = stats),
      onEnd: (state, detail) => this.#finish(session, state, detail),
    });
    this.#session = session;
    return session.start(() => LivePlayout.#takeUnlocked() ?? openContext(LATENCY_HINTS[LivePlayout.#hint]));
  }

  /** Stops at once and releases the socket, the Worker and the AudioContext. */
  stop() {
    if (this.#session) this.#finish(this.#session, "stopped");
  }

  /** The call has ended, as somebody else says: plays what is buffered, then the state is "ended". */
  finish() {
    this.#session?.finish();
  }

  /** Skips to the newest sound. What is left out is counted in `samplesDiscarded`. */
  jumpToLive() {
    this.#session?.post({ live: true });
  }

  /**
   * @param {Speaker} speaker
   * @param {number} gain 0..1
   */
  setGain(speaker, gain) {
    this.#settings.gains[speaker] = gain;
    this.#session?.post({ gain: [speaker, gain] });
  }

  /** @param {boolean} on brings both speakers to one loudness; else each is as loud as the call sends it */
  setAutoGain(on) {
    this.#settings.autoGain = on;
    this.#session?.post({ autoGain: on });
  }

  /** @param {string} device id of the device to play through; "": the system's own */
  setDevice(device) {
    if (device === this.#settings.device) return;
    this.#settings.device = device;
    this.#session?.useDevice();
  }

  /** @param {boolean} on the customer in the left ear and the assistant in the right; else both in both */
  setSpread(on) {
    this.#settings.spread = on;
    this.#session?.post({ spread: on });
  }

  /** @param {Format|null} format overrides what the stream announces; null: no override */
  setFormat(format) {
    this.#settings.format = format;
    this.#session?.post({ format });
  }

  /** @param {boolean} on skip ahead when more than 3 s behind; else no word is lost */
  setStayLive(on) {
    this.#settings.staysLive = on;
    this.#session?.post({ staysLive: on });
  }

  /**
   * Sets the url for connections from now on; after "expired" it connects at once.
   * @param {UrlSource} url
   */
  setUrl(url) {
    this.#settings.url = url;
    this.#session?.retryRefused();
  }

  /**
   * What `Playout.stats()` in `playout.js` describes, and `timestamp` (when, in seconds of the context's clock), `state`, `outputLatency`
   * (seconds, of the device; null where the browser does not say), `reconnects`, `badText` (text frames that were not JSON). After an end,
   * or while the sound stands still, the last figures.
   * @returns {Promise<any>}
   */
  async stats() {
    await this.#session?.askStats();
    return { state: this.#state, ...this.#lastStats };
  }

  /**
   * @param {State} state
   * @param {string} [detail]
   */
  #report(state, detail = "") {
    if (state === this.#state && detail === this.#detail) return;
    this.#state = state;
    this.#detail = detail;
    this.#onState({ state, detail });
  }

  /**
   * @param {LiveSession} session
   * @param {State} state
   * @param {string} [detail]
   */
  #finish(session, state, detail) {
    if (this.#session !== session) return;
    this.#session = null;
    const { strained } = session;
    if (strained) LivePlayout.#hint = Math.min(LATENCY_HINTS.length - 1, LivePlayout.#hint + 1);
    session.release();
    this.#report(state, detail);
  }
}

function isSupported() {
  return typeof AudioWorkletNode !== "undefined" && typeof AudioContext !== "undefined" && Boolean(globalThis.isSecureContext);
}

/**
 * Opens a context at the hardware's own rate, since other rates have been distorted on iPads.
 * @param {number|AudioContextLatencyCategory} latencyHint
 */
function openContext(latencyHint) {
  const context = new AudioContext({ latencyHint });
  context.resume().catch(() => {}); // rejected without a click: the session will find that out
  return context;
}

globalThis.LivePlayout ??= LivePlayout; // for a button that only knows `LivePlayout.unlock()`
