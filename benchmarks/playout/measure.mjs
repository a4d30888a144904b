/**
 * node measure.mjs: what needs no browser, of the real `playout.js`, as JSON. With a path of raw 16 kHz two-channel s16le it
 * writes what was heard of that call around a 2 s stall to path + ".heard" (48 kHz, two channels of float32), and where in the call each
 * 128 samples of it began to path + ".places" (float64, in source samples).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { Playout } from "../../assets/playout.js";

const RATE = 16000;
const QUANTUM = 128;
const FRAME = 320;
const START = { sampleRate: RATE, channels: 2, encoding: "linear16" };

/** Plays `channels` (functions of the sample's number) in real time, held up between the two times of `stall`, at 48 kHz or so. */
function perform(channels, seconds, { outRate = 48000, stall = [0, 0], each = () => {} } = {}) {
  const playout = new Playout(outRate, { dither: 0 });
  playout.start(START);
  const quanta = Math.ceil((seconds * outRate) / QUANTUM);
  const heard = [new Float32Array(quanta * QUANTUM), new Float32Array(quanta * QUANTUM)];
  const frame = new Int16Array(2 * FRAME);
  const bytes = new Uint8Array(frame.buffer);
  let sent = 0;
  for (let q = 0; q < quanta; q++) {
    const now = (q * QUANTUM) / outRate;
    while ((sent + FRAME) / RATE <= now && !(now >= stall[0] && now < stall[1])) {
      for (let k = 0; k < FRAME; k++) for (const c of [0, 1]) frame[2 * k + c] = Math.round(32767 * channels[c](sent + k));
      sent += FRAME;
      playout.push(bytes, now);
    }
    playout.pull(heard[0].subarray(q * QUANTUM, (q + 1) * QUANTUM), heard[1].subarray(q * QUANTUM, (q + 1) * QUANTUM));
    each(q, playout);
  }
  return { heard, playout };
}

const tone = (hz, size = 0.5) => (k) => size * Math.sin((2 * Math.PI * hz * k) / RATE);

function fit(samples, hz, rate) {
  let [ss, cc, sc, sy, cy] = [0, 0, 0, 0, 0];
  const w = (2 * Math.PI * hz) / rate;
  samples.forEach((y, k) => {
    const [s, c] = [Math.sin(w * k), Math.cos(w * k)];
    ss += s * s; cc += c * c; sc += s * c; sy += s * y; cy += c * y;
  });
  const det = ss * cc - sc * sc;
  const [a, b] = [(sy * cc - cy * sc) / det, (cy * ss - sy * sc) / det];
  let [signal, rest] = [0, 0];
  samples.forEach((y, k) => {
    const value = a * Math.sin(w * k) + b * Math.cos(w * k);
    signal += value * value;
    rest += (y - value) ** 2;
  });
  return { sinad: 10 * Math.log10(signal / rest), size: Math.hypot(a, b), phase: Math.atan2(b, a) };
}

function tones() {
  const found = { sinad: Infinity, droop: 0, separation: Infinity };
  for (const outRate of [44100, 48000]) {
    for (const hz of [1000, 3000, 6000]) {
      const { heard } = perform([tone(hz), () => 0], 14, { outRate });
      const [left, right] = heard.map((channel) => channel.subarray(12.5 * outRate, 13.5 * outRate));
      const { sinad, size } = fit(left, hz, outRate);
      const other = fit(right, hz, outRate).size;
      found.sinad = Math.min(found.sinad, sinad);
      found.droop = Math.max(found.droop, Math.abs(20 * Math.log10(size / 0.5)));
      found.separation = Math.min(found.separation, 20 * Math.log10(size / Math.max(other, 1e-9)));
    }
  }
  return found;
}

/** By how many parts of 1 a tone is off while a stall is made good: the phase's advance between splices, in windows of 8 ms. */
function pitch() {
  const hz = 400;
  const { heard } = perform([tone(hz), tone(hz)], 14, { stall: [8, 9] });
  const width = 384;
  const off = [];
  for (let at = 9.2 * 48000; at < 12 * 48000; at += 2 * width) {
    const [a, b] = [0, width].map((by) => fit(heard[0].subarray(at + by, at + by + width), hz, 48000).phase);
    const turn = 2 * Math.PI;
    const expected = (turn * hz * width) / 48000;
    const moved = b - a - expected + (turn * hz * width) / 48000; // both windows begin at phase 0 of the fit
    const wrapped = moved - turn * Math.round(moved / turn - hz * width / 48000) - expected;
    off.push(Math.abs(((wrapped + 3 * Math.PI) % turn) - Math.PI) / expected);
  }
  off.sort((x, y) => x - y);
  return off[Math.floor(off.length / 2)];
}

/** The largest step (dBFS) from one sample to the next at any edge, over what a tone of 100 Hz has of itself. */
function edges() {
  const own = (0.5 * 2 * Math.PI * 100) / 48000;
  let step = 0;
  for (const [from, to] of [[3, 5], [3, 3.1], [3, 3.03]]) {
    const { heard, playout } = perform([tone(100), tone(100)], 16, { stall: [from, to] });
    playout.end();
    const rest = [new Float32Array(48000), new Float32Array(48000)];
    playout.pull(rest[0], rest[1]);
    const all = [...heard[0], ...rest[0]];
    for (let k = 1; k < all.length; k++) step = Math.max(step, Math.abs(all[k] - all[k - 1]) - own);
  }
  return 20 * Math.log10(Math.max(step, 1e-9));
}

/** Part of a core, and bytes that `pull` allocates per quantum, playing noise with both the filter and the splices at work. */
async function price() {
  let seed = 1;
  const noise = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) | 0) / 2147483648) * 0.3;
  const playout = new Playout(48000);
  playout.start(START);
  const frame = new Uint8Array(Int16Array.from({ length: 2 * FRAME }, () => 32767 * noise()).buffer);
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let [quanta, sent] = [0, 0];
  const play = (seconds) => {
    for (const end = quanta + (seconds * 48000) / QUANTUM; quanta < end; quanta++) {
      const held = Math.floor((quanta * QUANTUM) / 48000) % 10 === 5 ? 0.3 : 0; // a second in ten comes late, and is made good
      for (; sent / 50 + held < (quanta * QUANTUM) / 48000; sent++) playout.push(frame, 0);
      playout.pull(left, right);
    }
  };
  play(120);
  const started = process.cpuUsage();
  play(60);
  const { user, system } = process.cpuUsage(started);
  return { core: (user + system) / 1e6 / 60, bytes: (await allocated(() => play(120), "pull")) / ((120 * 48000) / QUANTUM) };
}

/** Bytes that are allocated under a function of this name while `work` is done, as V8's sampling heap profiler counts them. */
async function allocated(work, name) {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 32, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true,
  });
  work();
  const { profile } = await session.post("HeapProfiler.stopSampling");
  const sum = (node, under) => {
    const counts = under || node.callFrame.functionName === name;
    return (counts ? node.selfSize : 0) + node.children.reduce((all, child) => all + sum(child, counts), 0);
  };
  return sum(profile.head, false);
}

function speech(path) {
  const file = readFileSync(path);
  const samples = new Int16Array(file.buffer, file.byteOffset, file.length / 2);
  const channel = (c) => (k) => (samples[2 * k + c] ?? 0) / 32767;
  const places = [];
  const { heard, playout } = perform([channel(0), channel(1)], samples.length / 2 / RATE, {
    stall: [14, 16],
    each: (_, player) => {
      const { samplesReceived, samplesBuffered } = player.stats();
      places.push(samplesReceived - samplesBuffered);
    },
  });
  const both = new Float32Array(2 * heard[0].length);
  heard[0].forEach((value, k) => { both[2 * k] = value; both[2 * k + 1] = heard[1][k]; });
  writeFileSync(`${path}.heard`, Buffer.from(both.buffer));
  writeFileSync(`${path}.places`, Buffer.from(Float64Array.from(places).buffer));
  return playout.stats();
}

console.log(JSON.stringify({ ...tones(), pitch: pitch(), edge: edges(), ...(await price()), speech: process.argv[2] ? speech(process.argv[2]) : null }));
