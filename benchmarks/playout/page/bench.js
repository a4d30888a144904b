/**
 * Plays one player on this page and records it: whatever is connected to the loudspeakers also goes into a recorder, which notes of every
 * quantum when it was rendered. A Worker notes when frames arrive here, since this page may be kept busy.
 */
const connect = AudioNode.prototype.connect;
const pieces = [];
let ready;

AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) ready ??= record(this);
  return connect.call(this, target, ...rest);
};

async function record(node) {
  await node.context.audioWorklet.addModule("/tap.js");
  const tap = new AudioWorkletNode(node.context, "tap", { channelCount: 2, channelCountMode: "explicit" });
  tap.port.onmessage = ({ data }) => pieces.push(data);
  connect.call(node, tap);
  connect.call(tap, node.context.destination);
}

function base64(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return btoa(text);
}

function whole(pick) {
  const parts = pieces.map(pick);
  const all = new parts[0].constructor(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return base64(all);
}

/** @param {{player: string, busy: [number, number]|null}} what busy: ms of each period (ms) in which the page does nothing else */
window.run = async ({ player, busy }) => {
  const socket = `ws://${location.host}`;
  const { default: play } = await import(`/players/${player}.js`);
  const playing = await play(`${socket}/listen`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await ready;
  if (busy) setInterval(() => { for (const end = performance.now() + busy[0]; performance.now() < end; ); }, busy[1]);
  const worker = new Worker("/arrivals.js");
  const { begun, arrivals } = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(`${socket}/feed`);
  });
  const stats = (await playing.stats?.()) ?? null;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  return {
    begun, arrivals, stats, rate: playing.context.sampleRate,
    left: whole((piece) => piece.left), right: whole((piece) => piece.right),
    frames: whole((piece) => piece.frames), times: whole((piece) => piece.times),
  };
};
window.ready = true;
