/**
 * Owns the WebSocket, so that a busy page delays no sound: frames go from here straight to the audio worklet.
 *
 * @typedef {import("../types/messages.js").ToWorker} ToWorker
 * @typedef {import("../types/messages.js").FromWorker} FromWorker
 * @typedef {import("../types/messages.js").Sound} Sound
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
let timer = 0;
let retryS = MIN_RETRY_S;
let badText = 0;

self.onmessage = (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.audio) audio = data.audio;
  if (data.close) leave();
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
  let flowing = false;
  try {
    socket = new WebSocket(url);
  } catch (error) {
    tellPage({ socket: "failed", reason: String(error) });
    return;
  }
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tellPage({ socket: "open" });
  socket.onmessage = ({ data }) => {
    if (!flowing) {
      flowing = true;
      retryS = MIN_RETRY_S;
      tellPage({ socket: "flowing" });
    }
    if (typeof data === "string") readText(data);
    else tellWorklet({ pcm: data, at: performance.now() / 1000 }, [data]);
  };
  socket.onclose = ({ code }) => {
    socket = null;
    if (CALL_IS_OVER.includes(code)) {
      tellWorklet({ end: true });
      tellPage({ socket: "ended", code });
    } else if (code === NOT_ALLOWED) {
      tellPage({ socket: "refused", code });
    } else {
      retryLater(code);
    }
  };
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
  if (inner?.type === "start") tellWorklet({ start: inner });
  tellPage({ event });
}

/** @param {number} [code] */
function retryLater(code) {
  tellPage({ socket: "lost", code, retryIn: retryS });
  timer = setTimeout(() => tellPage({ socket: "due" }), retryS * 1000);
  retryS = Math.min(MAX_RETRY_S, 2 * retryS);
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
  const last = socket;
  disconnect();
  if (last && last.readyState !== WebSocket.CLOSED) last.onclose = () => self.close();
  else self.close();
}
