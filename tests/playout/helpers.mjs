/**
 * What the player's tests share: streams as bytes, pulling as a sound card does, and seeded random numbers.
 *
 * @typedef {(k: number) => number} Signal a sample, -1..1, by its number
 * @typedef {[seconds: number, bytes: Uint8Array][]} Arrivals
 * @typedef {import("../../assets/playout/stream_format.js").StartFrame} StartFrame
 */
import { Playout } from "../../assets/playout/playout.js";

export const QUANTUM = 128;

/**
 * mulberry32, 0..1: seeded, so that a failure can be repeated.
 * @param {number} seed
 */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Interleaved s16le.
 * @param {number} length samples
 * @param {Signal[]} channels
 */
export function s16le(length, ...channels) {
  const bytes = new Uint8Array(2 * length * channels.length);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < length; k++) {
    for (const [c, signal] of channels.entries()) view.setInt16(2 * (k * channels.length + c), Math.round(signal(k) * 32767), true);
  }
  return bytes;
}

/**
 * @param {number} hz
 * @param {number} rate Hz
 * @returns {Signal}
 */
export const tone =
  (hz, rate, size = 0.5) =>
  (k) =>
    size * Math.sin((2 * Math.PI * hz * k) / rate);
export const silence = () => 0;

/**
 * @param {number} outRate Hz
 * @param {StartFrame} [frame]
 */
export function started(outRate, frame) {
  const playout = new Playout(outRate, { dither: 0 });
  if (frame) playout.start(frame);
  return playout;
}

/** @param {Float32Array[]} parts */
export const joined = (...parts) => Float32Array.from(parts.flatMap((part) => [...part]));

/**
 * Pulls so many seconds of output.
 * @param {Playout} playout
 * @param {number} seconds
 * @param {number} outRate Hz
 */
export function pull(playout, seconds, outRate) {
  const quanta = Math.ceil((seconds * outRate) / QUANTUM);
  const left = new Float32Array(quanta * QUANTUM);
  const right = new Float32Array(quanta * QUANTUM);
  for (let q = 0; q < quanta; q++) {
    playout.pull(left.subarray(q * QUANTUM, (q + 1) * QUANTUM), right.subarray(q * QUANTUM, (q + 1) * QUANTUM));
  }
  return { left, right };
}

/**
 * Plays frames by a timetable. Pulls for `seconds`, and calls `each` after every quantum.
 * @param {Playout} playout
 * @param {number} outRate Hz
 * @param {Arrivals} arrivals
 * @param {number} seconds
 * @param {(now: number) => void} [each]
 */
export function perform(playout, outRate, arrivals, seconds, each = () => {}) {
  const quanta = Math.ceil((seconds * outRate) / QUANTUM);
  const left = new Float32Array(quanta * QUANTUM);
  const right = new Float32Array(quanta * QUANTUM);
  let next = 0;
  for (let q = 0; q < quanta; q++) {
    const now = (q * QUANTUM) / outRate;
    for (; next < arrivals.length && arrivals[next][0] <= now; next++) playout.push(arrivals[next][1], arrivals[next][0]);
    playout.pull(left.subarray(q * QUANTUM, (q + 1) * QUANTUM), right.subarray(q * QUANTUM, (q + 1) * QUANTUM));
    each(now);
  }
  return { left, right };
}

/**
 * A stream cut into frames, with the time at which each arrives. Frames never overtake each other, as on TCP.
 * @param {Uint8Array} bytes
 * @param {number} bytesPerSecond
 * @param {number} [frameSeconds]
 * @param {(k: number, due: number) => number} [late] when frame `k` arrives that is due at `due` seconds
 */
export function timetable(bytes, bytesPerSecond, frameSeconds = 0.02, late = (_, due) => due) {
  const size = Math.round(bytesPerSecond * frameSeconds);
  /** @type {Arrivals} */
  const arrivals = [];
  let last = 0;
  for (let k = 0; k * size < bytes.length; k++) {
    last = Math.max(last, late(k, (k + 1) * frameSeconds));
    arrivals.push([last, bytes.subarray(k * size, (k + 1) * size)]);
  }
  return arrivals;
}

/**
 * Signal to noise and distortion in dB of one sine, fitted by least squares, and the fitted amplitude and phase.
 * @param {Float32Array} samples
 * @param {number} hz
 * @param {number} rate Hz
 */
export function sinad(samples, hz, rate) {
  let [ss, cc, sc, sy, cy] = [0, 0, 0, 0, 0];
  const w = (2 * Math.PI * hz) / rate;
  samples.forEach((y, k) => {
    const [s, c] = [Math.sin(w * k), Math.cos(w * k)];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    sy += s * y;
    cy += c * y;
  });
  const det = ss * cc - sc * sc;
  const [a, b] = [(sy * cc - cy * sc) / det, (cy * ss - sy * sc) / det];
  let [signal, noise] = [0, 0];
  samples.forEach((y, k) => {
    const fit = a * Math.sin(w * k) + b * Math.cos(w * k);
    signal += fit * fit;
    noise += (y - fit) ** 2;
  });
  return { db: 10 * Math.log10(signal / noise), amplitude: Math.hypot(a, b), phase: Math.atan2(b, a) };
}

/**
 * Fails with both values if `a` is not within `by` of `b`.
 * @param {number} a
 * @param {number} b
 * @param {number} by
 */
export function near(a, b, by, what = "value") {
  if (!(Math.abs(a - b) <= by)) throw new Error(`${what}: ${a} is not within ${by} of ${b}`);
}
