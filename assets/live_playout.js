/**
 * Plays a live call's audio WebSocket on any page: `new LivePlayout({ url, onState })`, then `start()` inside a click.
 *
 * A Worker owns the socket and hands its frames straight to an AudioWorklet, so that a busy page makes no sound stutter. Needs a secure
 * context (https or localhost); needs no SharedArrayBuffer, and so no cross-origin isolation.
 *
 * @typedef {"idle"|"starting"|"waiting"|"playing"|"gap"|"reconnecting"|"blocked"|"expired"|"ended"|"stopped"|"unsupported"|"failed"} State
 *   idle: not started. starting: loading. waiting: connected or connecting, nothing heard yet. playing. gap: the stream stalled, and goes
 *   on where it broke off. reconnecting: the socket was lost and is opened again. blocked: the browser allows no sound until the user taps.
 *   expired: the url is not valid any more, `setUrl` goes on. ended: the call is over and all of it was heard. stopped: by `stop()`.
 *   unsupported: no AudioWorklet here, `detail` says what to do. failed: `detail` says why.
 * @typedef {{peak: number, rms: number}} Level 0..1 of full scale, of what is heard now and before any gain
 */

const asset = (name) => new URL(name, import.meta.url);

const UNSUPPORTED =
  "This page was opened over plain http, where browsers play no live sound. Open it over https, or as http://localhost on the machine that runs it.";
const TOO_OLD = "This browser has no AudioWorklet. Use a current Chrome, Edge, Firefox or Safari.";
const ALLOWED_SOON = 500; // ms in which a browser that allows sound has started it
const UNLOCK_LASTS = 120_000; // ms for which an unlocked context waits for its call
const GESTURES = ["pointerdown", "keydown"];
const LATENCY_HINTS = [0, "interactive", "playback"]; // the smallest buffer that the machine keeps up with
const UNDERRUNS = 5; // of the device, in one listening, after which the next has a larger one

export class LivePlayout {
  static #unlocked = null;
  static #hint = 0;

  #url;
  #onState;
  #onEvent;
  #onLevels;
  #run = null; // all that a start made and a stop has to release
  #gains = { customer: 1, assistant: 1 };
  #spread = true;
  #format;
  #staysLive;
  #state = "idle";
  #detail = "";
  #stats = {};

  /**
   * @param {object} options
   * @param {string|URL|(() => string|Promise<string>)} options.url ws, wss, http, https or a path; a function is asked anew for each connection
   * @param {(change: {state: State, detail: string}) => void} [options.onState]
   * @param {(event: any) => void} [options.onEvent] each text frame of the stream that is JSON, parsed
   * @param {(levels: {customer: Level, assistant: Level, gap: boolean, catchesUp: boolean}) => void} [options.onLevels] 25 times a second
   * @param {{sampleRate: number, channels: 1|2, encoding?: "s16le"|"mulaw"}|null} [options.format] what the stream is, whatever it says
   * @param {boolean} [options.staysLive] leap ahead when more than 3 s behind; else, no word is lost
   */
  constructor({ url, onState = () => {}, onEvent = () => {}, onLevels = () => {}, format = null, staysLive = false }) {
    this.#url = url;
    this.#format = format;
    this.#staysLive = staysLive;
    this.#onState = onState;
    this.#onEvent = onEvent;
    this.#onLevels = onLevels;
  }

  /** Call this in a click that will lead to a call: the next `start()`, within two minutes, then needs no click of its own. */
  static unlock() {
    if (!isSupported() || LivePlayout.#unlocked) return;
    const context = openContext(LATENCY_HINTS[LivePlayout.#hint]);
    const timer = setTimeout(() => LivePlayout.#adopt()?.close(), UNLOCK_LASTS);
    LivePlayout.#unlocked = { context, timer };
  }

  static #adopt() {
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
    return this.#run?.context ?? null;
  }

  /**
   * Starts, and resolves when sound can come; never rejects, `onState` says what became of it. While running it does nothing, but
   * in a click it lifts "blocked". After an end it starts anew.
   */
  start() {
    if (this.#run) {
      this.#run.context.resume().catch(() => {}); // refused without a click: the state stays "blocked"
      return this.#run.started;
    }
    if (!isSupported()) {
      this.#tell("unsupported", globalThis.isSecureContext ? TOO_OLD : UNSUPPORTED);
      return Promise.resolve();
    }
    const run = { context: null, worker: null, node: null, mode: "waiting", socket: "connecting", ready: false, reconnects: 0, badText: 0 };
    this.#run = run;
    run.started = this.#begin(run).catch((error) => this.#finish(run, "failed", String(error)));
    return run.started;
  }

  /** Stops at once and releases the socket, the Worker and the AudioContext. */
  stop() {
    if (this.#run) this.#finish(this.#run, "stopped");
  }

  /**
   * @param {"customer"|"assistant"} who
   * @param {number} gain 0..1
   */
  setGain(who, gain) {
    this.#gains[who] = gain;
    this.#run?.node?.port.postMessage({ gain: [who, gain] });
  }

  /** @param {boolean} on the customer in the left ear and the assistant in the right; else both in both */
  setSpread(on) {
    this.#spread = on;
    this.#run?.node?.port.postMessage({ spread: on });
  }

  /** What the stream is, whatever it says; null: as it says. See the constructor. */
  setFormat(format) {
    this.#format = format;
    this.#run?.node?.port.postMessage({ format });
  }

  /** @param {boolean} on leap ahead when more than 3 s behind; else no word is lost */
  setStayLive(on) {
    this.#staysLive = on;
    this.#run?.node?.port.postMessage({ staysLive: on });
  }

  /** A url for connections from now on; after "expired" it is connected to at once. */
  setUrl(url) {
    this.#url = url;
    if (this.#run?.socket === "refused") this.#connect(this.#run);
  }

  /**
   * What `Playout.stats()` in `playout.js` describes, and `state`, `outputLatency` (seconds, of the device), `reconnects`, `badText`
   * (text frames that were not JSON). After an end, the last there was.
   * @returns {Promise<object>}
   */
  async stats() {
    const run = this.#run;
    if (run?.ready) {
      await new Promise((resolve) => {
        run.onStats = resolve;
        setTimeout(resolve, 500); // a suspended worklet may not answer
        run.node.port.postMessage({ stats: true });
      });
    }
    return { state: this.#state, ...this.#stats };
  }

  async #begin(run) {
    const context = (run.context = LivePlayout.#adopt() ?? openContext(LATENCY_HINTS[LivePlayout.#hint]));
    const allowed = Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, ALLOWED_SOON))]).catch(() => {});
    run.tap = () => context.resume().catch(() => {});
    this.#tell("starting");
    if (navigator.audioSession) navigator.audioSession.type = "playback"; // else an iPhone's mute switch silences the call
    const worker = (run.worker = new Worker(asset("live_socket_worker.js"), { type: "module" }));
    const { port1: sending, port2: receiving } = new MessageChannel();
    worker.onmessage = ({ data }) => this.#run === run && this.#hearWorker(run, data);
    worker.onerror = (event) => this.#finish(run, "failed", event.message || "The socket's worker did not load.");
    worker.postMessage({ audio: sending }, [sending]);
    this.#connect(run);
    await context.audioWorklet.addModule(asset("playout_worklet.js"));
    if (this.#run !== run) return;
    const node = (run.node = new AudioWorkletNode(context, "earshot-playout", { numberOfInputs: 0, outputChannelCount: [2] }));
    node.port.onmessage = ({ data }) => this.#run === run && this.#hearWorklet(run, data);
    node.onprocessorerror = () => this.#finish(run, "failed", "The player broke.");
    node.port.postMessage({ audio: receiving }, [receiving]);
    for (const [who, gain] of Object.entries(this.#gains)) node.port.postMessage({ gain: [who, gain] });
    node.port.postMessage({ spread: this.#spread, staysLive: this.#staysLive });
    if (this.#format) node.port.postMessage({ format: this.#format });
    node.connect(context.destination);
    await allowed; // if it was refused, "blocked" says so
    if (this.#run !== run) return;
    run.ready = true;
    context.onstatechange = () => this.#hearContext(run);
    this.#hearContext(run);
  }

  /** Resolves the url and has the Worker connect to it. */
  async #connect(run) {
    run.socket = "connecting";
    let url = null;
    try {
      url = typeof this.#url === "function" ? await this.#url() : this.#url;
      if (url) url = socketUrl(url);
    } catch (error) {
      console.warn("No address to listen at:", error);
    }
    if (this.#run === run) run.worker.postMessage({ url });
  }

  #hearWorker(run, { socket, code, reason, event, badText }) {
    if (event !== undefined) return this.#onEvent(event);
    if (badText) return void (run.badText = badText);
    if (socket === "due") return void this.#connect(run);
    if (socket === "failed") return this.#finish(run, "failed", reason);
    run.socket = socket;
    if (socket === "flowing") run.askedAgain = false;
    if (socket === "lost") run.reconnects++;
    if (socket === "refused" && typeof this.#url === "function" && !run.askedAgain) {
      run.askedAgain = true; // once: whoever gives urls may have given an old one
      return void this.#connect(run);
    }
    if (socket === "ended" && (run.mode === "drained" || run.context.state !== "running")) return this.#finish(run, "ended");
    this.#derive(run, code);
  }

  #hearWorklet(run, { levels, gap, catchesUp, mode, stats }) {
    if (levels) {
      const [peakC, rmsC, peakA, rmsA] = levels;
      return this.#onLevels({ customer: { peak: peakC, rms: rmsC }, assistant: { peak: peakA, rms: rmsA }, gap, catchesUp });
    }
    if (stats) {
      const outputLatency = (run.context.outputLatency ?? 0) + (run.context.baseLatency ?? 0);
      this.#stats = { ...stats, outputLatency, reconnects: run.reconnects, badText: run.badText };
      run.onStats?.();
    }
    if (!mode) return;
    run.mode = mode;
    if (mode === "drained") this.#finish(run, "ended");
    else this.#derive(run);
  }

  #hearContext(run) {
    if (this.#run !== run) return;
    if (run.context.state === "closed") return this.#finish(run, "failed", "The browser closed the sound.");
    const silent = run.context.state !== "running";
    if (silent && run.socket === "ended") return this.#finish(run, "ended");
    for (const gesture of GESTURES) {
      if (silent) document.addEventListener(gesture, run.tap, true);
      else document.removeEventListener(gesture, run.tap, true);
    }
    if (run.silent && !silent) run.node.port.postMessage({ live: true }); // what came meanwhile is past: go on from now
    run.silent = silent;
    this.#derive(run);
  }

  #derive(run, code) {
    if (!run.ready) return;
    if (run.socket === "refused") this.#tell("expired");
    else if (run.silent) this.#tell("blocked");
    else if (run.socket === "lost") this.#tell("reconnecting", code ? `closed with code ${code}` : "");
    else if (run.socket === "connecting" && this.#state === "reconnecting") return;
    else this.#tell(run.mode);
  }

  #tell(state, detail = "") {
    if (state === this.#state && detail === this.#detail) return;
    this.#state = state;
    this.#detail = detail;
    this.#onState({ state, detail });
  }

  #finish(run, state, detail) {
    if (this.#run !== run) return;
    this.#run = null;
    for (const gesture of GESTURES) document.removeEventListener(gesture, run.tap, true);
    if (run.node) {
      run.node.port.postMessage({ stop: true });
      run.node.port.onmessage = null;
      run.node.disconnect();
    }
    if (run.worker) {
      const { worker } = run;
      worker.postMessage({ close: true }); // it tells the server, then ends itself
      setTimeout(() => worker.terminate(), 2000);
    }
    if (run.context) {
      const strained = (run.context.playbackStats?.underrunEvents ?? 0) > UNDERRUNS;
      if (strained) LivePlayout.#hint = Math.min(LATENCY_HINTS.length - 1, LivePlayout.#hint + 1);
      run.context.onstatechange = null;
      run.context.close().catch(() => {}); // closed already, by the browser
    }
    this.#tell(state, detail);
  }
}

function isSupported() {
  return typeof AudioWorkletNode !== "undefined" && typeof AudioContext !== "undefined" && Boolean(globalThis.isSecureContext);
}

/** At the hardware's own rate, since others have been distorted on iPads. */
function openContext(latencyHint) {
  const context = new AudioContext({ latencyHint });
  context.resume().catch(() => {}); // refused without a click: `start` finds that out
  return context;
}

function socketUrl(url) {
  const absolute = new URL(url, document.baseURI);
  absolute.protocol = absolute.protocol.replace("http", "ws");
  return absolute.href;
}

globalThis.LivePlayout ??= LivePlayout; // for a button that only knows `LivePlayout.unlock()`
