/**
 * Plays one player on this page and records it: whatever is connected to the speakers also goes into a recorder, which notes when each
 * quantum was rendered. A Worker notes when frames arrive, since this page may be kept busy.
 *
 * @typedef {{left: Int16Array, right: Int16Array, frames: Float64Array, times: Float64Array}} Piece
 */
/** @type {(this: AudioNode, target: AudioNode) => AudioNode} */
const connect = AudioNode.prototype.connect;
/** @type {Piece[]} */
const pieces = [];
/** @type {Promise<void>|undefined} */
let recording;

AudioNode.prototype.connect = /** @type {any} */ (
  /** @this {AudioNode} @param {[any]} args */
  function (...args) {
    if (args[0] instanceof AudioDestinationNode) recording ??= record(this);
    return connect.apply(this, args);
  }
);

/** @param {AudioNode} node */
async function record(node) {
  await node.context.audioWorklet.addModule("/tap.js");
  const tap = new AudioWorkletNode(node.context, "tap", { channelCount: 2, channelCountMode: "explicit" });
  tap.port.onmessage = ({ data }) => pieces.push(data);
  connect.call(node, tap);
  connect.call(tap, node.context.destination);
}

/** @param {Int16Array|Float64Array} array */
function base64(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return btoa(text);
}

/** @param {"left"|"right"|"frames"|"times"} kind */
function whole(kind) {
  const parts = pieces.map((piece) => piece[kind]);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = parts[0] instanceof Int16Array ? new Int16Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return base64(all);
}

/** `busy`: how many ms of each period (ms) the page does nothing else. */
window.run = async ({ player, busy }) => {
  const socket = `ws://${location.host}`;
  const { default: play } = await import(`/players/${player}.js`);
  const playing = await play(`${socket}/listen`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await recording;
  if (busy) {
    setInterval(() => {
      for (const end = performance.now() + busy[0]; performance.now() < end; );
    }, busy[1]);
  }
  const worker = new Worker("/arrivals.js");
  const { begun, arrivals } = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(`${socket}/feed`);
  });
  const stats = (await playing.stats?.()) ?? null;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  return {
    begun,
    arrivals,
    stats,
    rate: playing.context.sampleRate,
    left: whole("left"),
    right: whole("right"),
    frames: whole("frames"),
    times: whole("times"),
  };
};
window.ready = true;
