/**
 * Notices what no WebSocket reports: a connection whose bytes are dropped on the way, and a computer that slept.
 *
 * A silent socket is not given up at once, since a line that stalls delivers everything in the end. A second socket, the rival, is opened
 * beside it; whichever speaks first is heard from then on.
 *
 * @typedef {import("../types/messages.js").FromWorker} FromWorker
 *
 * @typedef {object} Owner the Worker
 * @property {(message: FromWorker) => void} tellPage
 * @property {() => number|undefined} readyState of the socket that is heard
 * @property {() => boolean} hasHeartbeat the server sends something at least every second
 * @property {() => void} retryNow drop that socket, and connect again at once
 * @property {(code: number) => void} closed that socket is over, with this close code
 * @property {(other: WebSocket) => void} use hear another socket
 */
const TICK_MS = 200;
const WAKE_MS = 3000; // a timer that is late by more: the computer slept
const SILENT_MS = 1400; // for a server that sends a heartbeat every second: sound is back 2 s after a connection went dead
const SILENT_WITHOUT_HEARTBEAT_MS = 10_000; // for others
const SILENT_AFTER_CHANGE_MS = 600; // when the network has changed, or the page is looked at again
const HANDSHAKE_MS = 5000; // a handshake takes no longer, however long the line
const RIVAL_RETRY_MS = 1000;
const FINAL_CODES = [1000, 4401, 4404, 4409]; // what closes the rival with one of these would close the other socket too
const GRACE_MS = 150; // when a line that stalled flows again, the socket that has all the sound may speak a little later than the rival

export class SocketWatch {
  /** True while the socket is silent for too long. The next url is then for `open`. */
  suspects = false;
  #owner;
  #silentMs = Infinity; // allowed until the next arrival
  #arrivedAt = Date.now();
  #tickedAt = Date.now();
  #ticks = 0;
  #handshakeMs = 0; // for so long the socket has been connecting
  /** @type {WebSocket|null} */
  #rival = null;
  #rivalAt = 0; // not to be opened before
  /** @type {MessageEvent[]} what the rival said during the grace */
  #held = [];
  #timer;

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    self.addEventListener("online", () => this.look());
  }

  stop() {
    clearInterval(this.#timer);
    this.#dropRival();
  }

  /** A socket was opened. */
  opened() {
    this.#arrivedAt = Date.now();
  }

  /**
   * Something arrived.
   * @returns {"obsolete"|undefined} "obsolete": the computer slept, and the socket it arrived on was dropped
   */
  arrived() {
    const now = Date.now();
    if (this.#slept(now)) return "obsolete";
    this.#arrivedAt = now;
    this.#silentMs = Infinity;
    if (!this.suspects) return undefined;
    this.#trust();
    this.#owner.tellPage({ socket: "flowing" });
    return undefined;
  }

  /** The network has changed or the page is looked at again: what waits is done now, and silence is suspicious sooner. */
  look() {
    this.#rivalAt = 0;
    this.#silentMs = SILENT_AFTER_CHANGE_MS;
    if (this.#owner.readyState() === undefined) this.#owner.retryNow();
  }

  /**
   * Opens the rival.
   * @param {string} url
   */
  open = (url) => {
    this.#dropRival();
    const rival = new WebSocket(url);
    this.#rival = rival;
    this.#rivalAt = Date.now() + HANDSHAKE_MS;
    rival.binaryType = "arraybuffer";
    rival.onmessage = (message) => {
      if (this.#held.push(message) === 1) setTimeout(() => this.#rival === rival && this.#prefer(rival), GRACE_MS);
    };
    rival.onclose = ({ code }) => {
      this.#rival = null;
      this.#rivalAt = Date.now() + RIVAL_RETRY_MS;
      if (FINAL_CODES.includes(code)) this.#owner.closed(code);
    };
  };

  #tick() {
    const now = Date.now();
    if (this.#slept(now)) return;
    if (this.#ticks++ % 2 === 0) this.#owner.tellPage({ tick: true });
    const state = this.#owner.readyState();
    this.#handshakeMs = state === WebSocket.CONNECTING ? this.#handshakeMs + TICK_MS : 0;
    if (this.#handshakeMs > HANDSHAKE_MS) return this.#owner.closed(1006);
    if (state !== WebSocket.OPEN) return this.#trust();
    const allowed = Math.min(this.#silentMs, this.#owner.hasHeartbeat() ? SILENT_MS : SILENT_WITHOUT_HEARTBEAT_MS);
    if (now - this.#arrivedAt <= allowed || now < this.#rivalAt) return;
    this.suspects = true;
    this.#rivalAt = now + HANDSHAKE_MS;
    this.#owner.tellPage({ socket: "stalled" });
  }

  /**
   * Drops the socket after a sleep: what it still brings is old.
   * @param {number} now
   */
  #slept(now) {
    const slept = now - this.#tickedAt - TICK_MS;
    this.#tickedAt = Math.max(now, this.#tickedAt);
    if (slept < WAKE_MS) return false;
    this.#trust();
    this.#owner.tellPage({ slept: slept / 1000 });
    this.#owner.retryNow();
    return true;
  }

  /** @param {WebSocket} rival */
  #prefer(rival) {
    const held = this.#held;
    this.#rival = null;
    this.#trust();
    this.#owner.tellPage({ socket: "lost", retryIn: 0 });
    this.#owner.use(rival);
    for (const message of held) rival.onmessage?.(message);
  }

  #trust() {
    this.suspects = false;
    this.#dropRival();
  }

  #dropRival() {
    const rival = this.#rival;
    this.#rival = null;
    this.#held = [];
    if (!rival) return;
    rival.onmessage = rival.onclose = null;
    rival.close(1000);
  }
}
