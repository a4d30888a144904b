/**
 * One listening of LivePlayout: the Worker that owns the socket, the AudioWorklet that plays, and their AudioContext.
 *
 * @typedef {import("./live_playout.js").State} State
 * @typedef {import("./live_playout.js").Speaker} Speaker
 * @typedef {object} Settings shared with LivePlayout, which changes them
 * @property {import("./live_playout.js").UrlSource} url
 * @property {import("./live_playout.js").Format|null} format
 * @property {boolean} heartbeat
 * @property {boolean} staysLive
 * @property {boolean} spread
 * @property {boolean} autoGain
 * @property {string} device
 * @property {Record<Speaker, number>} gains
 *
 * @typedef {object} Handlers
 * @property {(state: State, detail?: string) => void} onState
 * @property {(event: any) => void} onEvent
 * @property {(levels: import("./live_playout.js").Levels) => void} onLevels
 * @property {(stats: object) => void} onStats
 * @property {(missed: import("./live_playout.js").Missed) => void} onMissed
 * @property {(use: import("./live_playout.js").DeviceUse) => void} onDevice
 * @property {(state: State, detail?: string) => void} onEnd nothing more will come: release the session
 *
 * @typedef {import("../types/messages.js").FromWorker} FromWorker
 * @typedef {import("../types/messages.js").FromWorklet} FromWorklet
 * @typedef {import("../types/messages.js").ToWorklet} ToWorklet
 */

const RESUME_WAIT_MS = 500; // a browser that allows sound has started it by then
const STATS_WAIT_MS = 500; // a suspended worklet may never answer
const WORKER_EXIT_MS = 2000; // for the Worker to close the socket and end itself
const MAX_UNDERRUNS = 5; // of the sound card in one listening; after more the next one gets a larger buffer

export class LiveSession {
  /** @type {Promise<void>} */
  started = Promise.resolve();
  /** @type {AudioContext|null} */
  context = null;
  /** @type {Worker|null} */
  #worker = null;
  /** @type {AudioWorkletNode|null} */
  #node = null;
  /** @type {import("./playout/playout.js").Mode} */
  #mode = "waiting";
  /** @type {"connecting"|"open"|"flowing"|"stalled"|"lost"|"refused"|"ended"} */
  #socket = "connecting";
  #ready = false;
  /** @type {import("./device_watch.js").DeviceWatch["silence"]} */
  #silent = "";
  #wasBlocked = false; // by the browser, since sound was last heard
  #reconnecting = false;
  #deaf = false; // the Worker keeps no sound for the worklet
  #lost = ""; // how the last socket was closed
  #released = false;
  #retried = false; // with a new url, since the last sound
  #reconnects = 0;
  #badText = 0;
  /** @type {import("./device_watch.js").DeviceWatch|null} */
  #device = null;
  /** @type {import("./output_device.js").OutputDevice|null} */
  #output = null;
  #settings;
  #handlers;
  #resolveStats = () => {};
  #look = () => document.hidden || this.#worker?.postMessage({ look: true });

  /**
   * @param {Settings} settings
   * @param {Handlers} handlers
   */
  constructor(settings, handlers) {
    this.#settings = settings;
    this.#handlers = handlers;
  }

  /** True if the sound card ran dry too often. */
  get strained() {
    return (this.context?.playbackStats?.underrunEvents ?? 0) > MAX_UNDERRUNS;
  }

  /**
   * Resolves when sound can come; it never rejects.
   * @param {() => AudioContext} takeContext
   */
  start(takeContext) {
    this.started = this.#start(takeContext).catch((error) => this.#handlers.onEnd("failed", String(error)));
    return this.started;
  }

  /** Call it in a click if the browser blocks sound. */
  resume() {
    if (this.#device) this.#device.resume();
    else this.context?.resume().catch(() => {}); // rejected without a click: the state will be "blocked"
  }

  /** The call is over: plays what is buffered, then ends. */
  finish() {
    this.#worker?.postMessage({ over: true });
  }

  /** @param {ToWorklet} message */
  post(message) {
    this.#node?.port.postMessage(message);
  }

  /** Connects again if the url was refused. */
  retryRefused() {
    if (this.#socket === "refused") this.#connect();
  }

  /** Resolves after `onStats` has got new figures, or when there are none. */
  async askStats() {
    if (!this.#ready) return;
    await new Promise((resolve) => {
      this.#resolveStats = () => resolve(undefined);
      setTimeout(resolve, STATS_WAIT_MS);
      this.post({ stats: true });
    });
  }

  /** Plays through the device of the settings from now on. */
  async useDevice() {
    const [context, node] = [this.context, this.#node];
    if (!context || !node) return; // `start` will
    try {
      const { OutputDevice } = await import("./output_device.js");
      if (this.#released) return;
      this.#output ??= new OutputDevice(context, node, this.#handlers.onDevice);
      await this.#output.use(this.#settings.device);
    } catch (error) {
      console.warn("The chosen sound device is not used:", error);
      if (!this.#output && !this.#released) node.connect(context.destination);
    }
  }

  /** Lets go of everything, at once. */
  release() {
    this.#released = true;
    this.#output?.release();
    document.removeEventListener("visibilitychange", this.#look);
    if (this.#node) {
      this.post({ stop: true });
      this.#node.port.onmessage = null;
      this.#node.disconnect();
    }
    const worker = this.#worker;
    worker?.postMessage({ close: true }); // it closes the socket, then ends itself
    setTimeout(() => worker?.terminate(), WORKER_EXIT_MS);
    if (this.context) {
      this.context.onstatechange = null;
      if (this.#device) this.#device.release();
      else this.context.close().catch(() => {}); // already closed by the browser
    }
  }

  /** @param {() => AudioContext} takeContext */
  async #start(takeContext) {
    const context = takeContext();
    this.context = context;
    const inGesture = navigator.userActivation?.isActive ?? false;
    const allowed = Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, RESUME_WAIT_MS))]).catch(() => {});
    this.#handlers.onState("starting");
    if (navigator.audioSession) navigator.audioSession.type = "playback"; // else an iPhone's mute switch silences the call
    const worker = new Worker(new URL("live_socket_worker.js", import.meta.url), { type: "module" });
    this.#worker = worker;
    const { port1: sending, port2: receiving } = new MessageChannel();
    worker.onmessage = ({ data }) => this.#released || this.#onWorker(data);
    worker.onerror = (event) => this.#released || this.#handlers.onEnd("failed", event.message || "The socket's worker did not load.");
    worker.postMessage({ audio: sending, heartbeat: this.#settings.heartbeat }, [sending]);
    this.#connect();
    await context.audioWorklet.addModule(new URL("playout_worklet.js", import.meta.url));
    if (this.#released) return;
    const node = new AudioWorkletNode(context, "earshot-playout", { numberOfInputs: 0, outputChannelCount: [2] });
    this.#node = node;
    node.port.onmessage = ({ data }) => this.#released || this.#onWorklet(data);
    node.onprocessorerror = () => this.#handlers.onEnd("failed", "The audio worklet failed.");
    node.port.postMessage({ audio: receiving }, [receiving]);
    const { gains, spread, autoGain, staysLive, format } = this.#settings;
    this.post({ gain: ["customer", gains.customer] });
    this.post({ gain: ["assistant", gains.assistant] });
    this.post({ spread, autoGain, staysLive });
    if (format) this.post({ format });
    if (this.#settings.device) await this.useDevice();
    else node.connect(context.destination);
    if (this.#released) return;
    await allowed; // if it was not, the context's state shows that
    if (this.#released) return;
    this.#ready = true;
    document.addEventListener("visibilitychange", this.#look);
    context.onstatechange = () => this.#onContext();
    this.#onContext();
    this.#watchDevice(context, inGesture).catch((error) => console.warn("Not watched:", error));
  }

  /**
   * Not awaited: the sound does not wait for it.
   * @param {AudioContext} context
   * @param {boolean} inGesture
   */
  async #watchDevice(context, inGesture) {
    const { DeviceWatch } = await import("./device_watch.js");
    if (this.#released) return;
    this.#device = new DeviceWatch(context, inGesture, this.#handlers.onMissed);
    this.#onContext();
  }

  /** Resolves the url and has the Worker connect to it. */
  async #connect() {
    if (this.#socket !== "stalled") this.#socket = "connecting";
    let url = null;
    try {
      const { url: source } = this.#settings;
      url = typeof source === "function" ? await source() : source;
      if (url) url = socketUrl(url);
    } catch (error) {
      console.warn("No address to listen at:", error);
    }
    if (!this.#released) this.#worker?.postMessage({ url });
  }

  /** @param {FromWorker} message */
  #onWorker({ socket, code, reason, event, badText, slept, tick }) {
    if (event !== undefined) return this.#handlers.onEvent(event);
    if (tick) return this.#onContext();
    if (slept) this.#device?.disturbed("sleep");
    if (badText) this.#badText = badText;
    if (socket === undefined) return;
    if (socket === "due") return void this.#connect();
    if (socket === "failed") return this.#handlers.onEnd("failed", reason);
    this.#socket = socket;
    if (socket === "flowing") this.#retried = false;
    if (socket === "lost") this.#reconnects++;
    this.#lost = code ? `closed with code ${code}` : "";
    if (socket === "lost" || socket === "stalled") this.#device?.disturbed("connection");
    if (socket === "stalled") void this.#connect();
    if (socket === "refused" && typeof this.#settings.url === "function" && !this.#retried) {
      this.#retried = true; // once: the function may have returned an old url
      return void this.#connect();
    }
    if (socket === "ended" && (this.#mode === "drained" || this.context?.state !== "running")) return this.#handlers.onEnd("ended");
    this.#reportState();
  }

  /** @param {FromWorklet} message */
  #onWorklet({ levels, gap = false, catchesUp = false, missed, mode, stats }) {
    if (levels) {
      const [peakC, rmsC, peakA, rmsA] = levels;
      return this.#handlers.onLevels({ customer: { peak: peakC, rms: rmsC }, assistant: { peak: peakA, rms: rmsA }, gap, catchesUp });
    }
    if (missed) this.#device?.missed(missed);
    if (stats) {
      const outputLatency = this.#device?.outputLatency ?? null;
      this.#handlers.onStats({ ...stats, outputLatency, reconnects: this.#reconnects, badText: this.#badText });
      this.#resolveStats();
    }
    if (!mode) return;
    this.#mode = mode;
    if (mode === "drained") this.#handlers.onEnd("ended");
    else this.#reportState();
  }

  #onContext() {
    if (this.#released || !this.#ready) return;
    const { state } = /** @type {AudioContext} */ (this.context);
    if (state === "closed") return this.#handlers.onEnd("failed", "The browser closed the audio context.");
    this.#device?.tick();
    const deaf = this.#device?.lasting ?? false;
    if (deaf !== this.#deaf) this.#worker?.postMessage({ deaf });
    this.#deaf = deaf;
    const silent = this.#device ? this.#device.silence : state === "running" ? "" : "starting";
    if (silent && this.#socket === "ended") return this.#handlers.onEnd("ended");
    this.#wasBlocked ||= silent === "blocked";
    if (this.#wasBlocked && !silent) {
      this.#wasBlocked = false;
      this.post({ live: true }); // skips what came until the tap, and until the device that it started plays
    }
    this.#silent = silent;
    this.#reportState();
  }

  #reportState() {
    if (!this.#ready) return;
    if (this.#socket === "connecting" && this.#reconnecting && !this.#silent) return; // until it is open, or lost again
    this.#reconnecting = (this.#socket === "lost" || this.#socket === "stalled") && !this.#silent;
    if (this.#socket === "refused") this.#handlers.onState("expired");
    else if (this.#silent) this.#handlers.onState(this.#silent, this.#device?.needsWindow ? "new window" : "");
    else if (this.#reconnecting) this.#handlers.onState("reconnecting", this.#lost);
    else if (this.#mode !== "drained") this.#handlers.onState(this.#mode);
  }
}

/** @param {string|URL} url */
function socketUrl(url) {
  const absolute = new URL(url, document.baseURI);
  absolute.protocol = absolute.protocol.replace("http", "ws");
  return absolute.href;
}
