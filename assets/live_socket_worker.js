/**
 * Owns the WebSocket, so that a busy page delays no sound: frames go from here straight to the audio worklet.
 *
 * From the page: `{audio: MessagePort}` once, then `{url}` to connect (null: there is none now, ask again later), `{close: true}`.
 * To the page: `{socket}`: "open", "flowing" (the first frame), "lost" (with `code` and `retryIn` seconds), "due" (time to connect: send
 * a url), "refused" (4401: this url is not valid any more), "ended" (with `code`); `{event}` for each text frame that is JSON, and
 * `{badText: count}` for one that is not.
 */
const FIRST_WAIT = 0.25; // seconds, doubled with each failure in a row
const LONGEST_WAIT = 4;
const CALL_IS_OVER = [1000, 4404, 4409]; // ended; no such call; not a running call
const NOT_ALLOWED = 4401;

let audio = null;
let socket = null;
let timer = 0;
let wait = FIRST_WAIT;
let badText = 0;

onmessage = ({ data }) => {
  if (data.audio) audio = data.audio;
  if (data.close) leave();
  else if (data.url) connect(data.url);
  else if (data.url === null) later();
};

function connect(url) {
  clearTimeout(timer);
  drop();
  let flowing = false;
  try {
    socket = new WebSocket(url);
  } catch (error) {
    postMessage({ socket: "failed", reason: String(error) });
    return;
  }
  socket.binaryType = "arraybuffer";
  socket.onopen = () => postMessage({ socket: "open" });
  socket.onmessage = ({ data }) => {
    if (!flowing) {
      flowing = true;
      wait = FIRST_WAIT;
      postMessage({ socket: "flowing" });
    }
    if (typeof data === "string") read(data);
    else audio.postMessage({ pcm: data, at: performance.now() / 1000 }, [data]);
  };
  socket.onclose = ({ code }) => {
    socket = null;
    if (CALL_IS_OVER.includes(code)) {
      audio.postMessage({ end: true });
      postMessage({ socket: "ended", code });
    } else if (code === NOT_ALLOWED) {
      postMessage({ socket: "refused", code });
    } else {
      later(code);
    }
  };
}

/** Start frames go the way of the sound, in their place among its bytes; the page is told of every event, them too. */
function read(text) {
  let event;
  try {
    event = JSON.parse(text);
  } catch {
    postMessage({ badText: ++badText });
    return;
  }
  const inner = event?.message ?? event;
  if (inner?.type === "start") audio.postMessage({ start: inner });
  postMessage({ event });
}

function later(code) {
  postMessage({ socket: "lost", code, retryIn: wait });
  timer = setTimeout(() => postMessage({ socket: "due" }), wait * 1000);
  wait = Math.min(LONGEST_WAIT, 2 * wait);
}

function drop() {
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close(1000);
  socket = null;
}

/** Ends this Worker, but not before the server was told. */
function leave() {
  clearTimeout(timer);
  const last = socket;
  drop();
  if (last && last.readyState !== WebSocket.CLOSED) last.onclose = () => self.close();
  else self.close();
}
