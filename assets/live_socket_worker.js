/**
 * Owns the WebSocket, so that a busy page delays no sound: frames go from here straight to the audio worklet.
 *
 * @typedef {import("../types/messages.js").ToWorker} ToWorker
 * @typedef {import("../types/messages.js").FromWorker} FromWorker
 * @typedef {import("../types/messages.js").Sound} Sound
 * @typedef {import("./socket_watch.js").SocketWatch} SocketWatch
 */
const MIN_RETRY_S = 0.25; // doubled with each failure in a row: a short break is hardly noticed,
const MAX_RETRY_S = 4; // and a server that restarts is not flooded
// WebSocket close codes
const CALL_IS_OVER = [1000, 4404, 4409]; // ended; no such call; not an active call
const NOT_ALLOWED = 4401;

/** @type {MessagePort|null} */
let audio = null;
/** @type {WebSocket|null} */
let socket = null;
/** @type {SocketWatch|null} notices what no socket reports; loaded after what the first sound waits for */
let watch = null;
let heartbeat = false; // the server sends something at least every second
let deaf = false; // nothing can be heard, and has not been for long: sound is dropped
let timer = 0;
let retryS = MIN_RETRY_S;
let badText = 0;

self.onmessage = (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.audio) audio = data.audio;
  heartbeat ||= data.heartbeat ?? false;
  deaf = data.deaf ?? deaf;
  if (data.close) leave();
  else if (data.over) closed(CALL_IS_OVER[0]);
  else if (data.look) watch?.look();
  else if (watch?.suspects && socket) data.url && watch.open(data.url);
  else if (socket?.readyState === WebSocket.OPEN)
    return; // a url for a rival that is not needed any more
  else if (data.url) connect(data.url);
  else if (data.url === null) retryLater();
};

/** @param {FromWorker} message */
function tellPage(message) {
  postMessage(message);
}

/**
 * @param {Sound} message
 * @param {Transferable[]} [transfer]
 */
function tellWorklet(message, transfer = []) {
  audio?.postMessage(message, transfer);
}

/** @param {string} url */
function connect(url) {
  clearTimeout(timer);
  disconnect();
  try {
    use(new WebSocket(url));
  } catch (error) {
    tellPage({ socket: "failed", reason: String(error) });
  }
}

/**
 * Makes it the socket that is heard.
 * @param {WebSocket} opened
 */
function use(opened) {
  let flowing = false;
  socket = opened;
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    tellPage({ socket: "open" });
    watchSocket().catch(console.warn); // it failed to load: a dead connection goes unnoticed
  };
  socket.onmessage = ({ data }) => {
    if (watch?.arrived() === "obsolete") return;
    if (!flowing) {
      flowing = true;
      retryS = MIN_RETRY_S;
      tellPage({ socket: "flowing" });
    }
    if (typeof data === "string") readText(data);
    else if (deaf) tellWorklet({ dropped: data.byteLength });
    else tellWorklet({ pcm: data, at: Date.now() / 1000 }, [data]);
  };
  socket.onclose = ({ code }) => closed(code);
}

/** @param {number} code */
function closed(code) {
  disconnect();
  if (CALL_IS_OVER.includes(code)) {
    tellWorklet({ end: true });
    tellPage({ socket: "ended", code });
  } else if (code === NOT_ALLOWED) {
    tellPage({ socket: "refused", code });
  } else {
    retryLater(code);
  }
}

async function watchSocket() {
  if (watch) return watch.opened();
  const { SocketWatch } = await import("./socket_watch.js");
  watch ??= new SocketWatch({
    tellPage,
    retryNow,
    closed,
    use: replace,
    readyState: () => socket?.readyState,
    hasHeartbeat: () => heartbeat,
  });
}

/**
 * Passes every event to the page. Start frames go to the worklet as well, in their place among the sound.
 * @param {string} text
 */
function readText(text) {
  let event;
  try {
    event = JSON.parse(text);
  } catch {
    badText++;
    tellPage({ badText });
    return;
  }
  const inner = event?.message ?? event;
  if (inner?.type === "ping") {
    heartbeat = true;
    return;
  }
  if (inner?.type === "start") tellWorklet({ start: inner });
  else if (inner?.state === "dropped") tellWorklet({ dropped: inner.bytes });
  tellPage({ event });
}

/** @param {number} [code] */
function retryLater(code) {
  tellPage({ socket: "lost", code, retryIn: retryS });
  timer = setTimeout(() => tellPage({ socket: "due" }), retryS * 1000);
  retryS = Math.min(MAX_RETRY_S, 2 * retryS);
}

/** Connects again at once: after a failure, or since the socket is of no use any more. */
function retryNow() {
  disconnect();
  clearTimeout(timer);
  retryS = MIN_RETRY_S;
  tellPage({ socket: "lost", retryIn: 0 });
  tellPage({ socket: "due" });
}

/** @param {WebSocket} other */
function replace(other) {
  disconnect();
  use(other);
}

function disconnect() {
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close(1000);
  socket = null;
}

/** Ends this Worker once the socket is closed: ending it earlier would leave the server without a close frame. */
function leave() {
  clearTimeout(timer);
  watch?.stop();
  const last = socket;
  disconnect();
  if (last && last.readyState !== WebSocket.CLOSED) last.onclose = () => self.close();
  else self.close();
}
