/**
 * node measure.mjs: what needs no browser, of the real `playout.js`, as JSON. With a path of raw 16 kHz two-channel s16le it
 * writes what was heard of that call around a 2 s stall to path + ".heard" (48 kHz, two channels of float32), and where in the call each
 * 128 samples of it began to path + ".places" (float64, in source samples).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { Playout } from "../../assets/playout/playout.js";
import { chance, joined, perform, pull, QUANTUM, s16le, silence, sinad, started, timetable, tone } from "../../tests/playout/helpers.mjs";

const RATE = 16000;
const START = { sampleRate: RATE, channels: 2, encoding: "linear16" };

/**
 * Plays a call in real time, stalled between the two times of `stall`. As in a browser, a frame arrives when the sound card next asks.
 * @param {Uint8Array} bytes
 * @param {{outRate?: number, stall?: [from: number, to: number], each?: (player: Playout) => void}} [options]
 */
function play(bytes, { outRate = 48000, stall: [from, to] = [0, 0], each } = {}) {
  const playout = started(outRate, START);
  const asked = (/** @type {number} */ at) => (Math.ceil((at * outRate) / QUANTUM - 1e-9) * QUANTUM) / outRate;
  const arrivals = timetable(bytes, 4 * RATE, 0.02, (_, due) => asked(due >= from && due < to ? to : due));
  const { left, right } = perform(playout, outRate, arrivals, bytes.length / 4 / RATE, () => each?.(playout));
  return { left, right, playout };
}

const sine = (/** @type {number} */ hz) => tone(hz, RATE);

function tones() {
  const found = { sinad: Infinity, droop: 0, separation: Infinity };
  for (const outRate of [44100, 48000]) {
    for (const hz of [1000, 3000, 6000]) {
      const heard = play(s16le(14 * RATE, sine(hz), silence), { outRate });
      const [left, right] = [heard.left, heard.right].map((ear) => sinad(ear.subarray(12.5 * outRate, 13.5 * outRate), hz, outRate));
      found.sinad = Math.min(found.sinad, left.db);
      found.droop = Math.max(found.droop, Math.abs(20 * Math.log10(left.amplitude / 0.5)));
      found.separation = Math.min(found.separation, 20 * Math.log10(left.amplitude / Math.max(right.amplitude, 1e-9)));
    }
  }
  return found;
}

/** By how many parts of 1 a tone is off while a stall is made good: the phase's advance between splices, in windows of 8 ms. */
function pitch() {
  const hz = 400;
  const { left } = play(s16le(14 * RATE, sine(hz), sine(hz)), { stall: [8, 9] });
  const width = 384;
  const off = [];
  for (let at = 9.2 * 48000; at < 12 * 48000; at += 2 * width) {
    const [a, b] = [0, width].map((by) => sinad(left.subarray(at + by, at + by + width), hz, 48000).phase);
    const turn = 2 * Math.PI;
    const expected = (turn * hz * width) / 48000;
    const moved = b - a - expected + (turn * hz * width) / 48000; // both windows begin at phase 0 of the fit
    const wrapped = moved - turn * Math.round(moved / turn - (hz * width) / 48000) - expected;
    off.push(Math.abs(((wrapped + 3 * Math.PI) % turn) - Math.PI) / expected);
  }
  off.sort((x, y) => x - y);
  return off[Math.floor(off.length / 2)];
}

/** The largest step (dBFS) from one sample to the next at any edge, over what a tone of 100 Hz has of itself. */
function edges() {
  const own = (0.5 * 2 * Math.PI * 100) / 48000;
  let step = 0;
  for (const [from, to] of [
    [3, 5],
    [3, 3.1],
    [3, 3.03],
  ]) {
    const { left, playout } = play(s16le(16 * RATE, sine(100), sine(100)), { stall: [from, to] });
    playout.end();
    const all = joined(left, pull(playout, 1, 48000).left);
    for (let k = 1; k < all.length; k++) step = Math.max(step, Math.abs(all[k] - all[k - 1]) - own);
  }
  return 20 * Math.log10(Math.max(step, 1e-9));
}

/** Part of a core, and bytes that `pull` allocates per quantum, playing noise with both the filter and the splices at work. */
async function price() {
  const next = chance(1);
  const noise = () => 0.6 * (next() - 0.5);
  const playout = new Playout(48000);
  playout.start(START);
  const frame = s16le(RATE / 50, noise, noise);
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let [quanta, sent] = [0, 0];
  const listen = (/** @type {number} */ seconds) => {
    for (const end = quanta + (seconds * 48000) / QUANTUM; quanta < end; quanta++) {
      const held = Math.floor((quanta * QUANTUM) / 48000) % 10 === 5 ? 0.3 : 0; // a second in ten comes late, and is made good
      for (; sent / 50 + held < (quanta * QUANTUM) / 48000; sent++) playout.push(frame, 0);
      playout.pull(left, right);
    }
  };
  for (let k = 0; k < 4; k++) {
    listen(60);
    await new Promise((resolve) => setTimeout(resolve, 500)); // V8 optimizes in another thread
  }
  const before = process.cpuUsage();
  listen(60);
  const { user, system } = process.cpuUsage(before);
  return { core: (user + system) / 1e6 / 60, bytes: (await allocated(() => listen(600), "pull")) / ((600 * 48000) / QUANTUM) };
}

/**
 * Bytes allocated under a function of this name during `work`, as V8's sampling heap profiler counts them.
 * @param {() => void} work
 * @param {string} name
 */
async function allocated(work, name) {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 32,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  work();
  const { profile } = await session.post("HeapProfiler.stopSampling");
  /**
   * @param {import("node:inspector").HeapProfiler.SamplingHeapProfileNode} node
   * @param {boolean} under
   * @returns {number}
   */
  const sum = (node, under) => {
    const counts = under || node.callFrame.functionName === name;
    return (counts ? node.selfSize : 0) + node.children.reduce((all, child) => all + sum(child, counts), 0);
  };
  return sum(profile.head, false);
}

/** @param {string} path */
function speech(path) {
  /** @type {number[]} */
  const places = [];
  const { left, right, playout } = play(readFileSync(path), {
    stall: [14, 16],
    each: (player) => {
      const { samplesReceived, samplesBuffered } = player.stats();
      places.push(samplesReceived - samplesBuffered);
    },
  });
  const both = new Float32Array(2 * left.length);
  left.forEach((value, k) => {
    both[2 * k] = value;
    both[2 * k + 1] = right[k];
  });
  writeFileSync(`${path}.heard`, Buffer.from(both.buffer));
  writeFileSync(`${path}.places`, Buffer.from(Float64Array.from(places).buffer));
  return playout.stats();
}

console.log(
  JSON.stringify({
    ...tones(),
    pitch: pitch(),
    edge: edges(),
    ...(await price()),
    speech: process.argv[2] ? speech(process.argv[2]) : null,
  }),
);
