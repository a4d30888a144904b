import assert from "node:assert/strict";
import { test } from "node:test";
import { Playout } from "../../assets/playout/playout.js";
import { chance, near, perform, pull, s16le, sinad, started, timetable, tone } from "./helpers.mjs";

const OUT = 24000; // the output's rate is no matter here, and a low one is quick
const FINE = 48000; // but for what is looked at sample by sample
const start = { type: "start", encoding: "linear16", sampleRate: 16000, channels: 2 };
/** @param {number} seconds */
const both = (seconds) => s16le(16000 * seconds, tone(440, 16000), tone(990, 16000));

/**
 * Every source sample is played, left out of speech or of a pause, discarded or still buffered.
 * @param {ReturnType<Playout["stats"]>} stats
 */
function assertConserved(stats) {
  const { samplesPlayed, samplesStretched, samplesCut, samplesDiscarded, samplesBuffered } = stats;
  assert.equal(stats.samplesReceived, samplesPlayed + samplesStretched + samplesCut + samplesDiscarded + samplesBuffered);
}

test("a smooth stream plays without a gap, less than 50 ms behind", () => {
  const playout = started(OUT, start);
  const { left } = perform(playout, OUT, timetable(both(10), 64000), 9.9);
  const stats = playout.stats();
  assert.equal(stats.concealmentEvents, 0);
  assert.equal(stats.concealedSamples, 0);
  near(stats.delay, 0.025, 0.015, "delay");
  assert.ok(stats.jitterBufferDelay / stats.jitterBufferEmittedCount < stats.delay);
  assert.ok(sinad(left.slice(9 * OUT, 9.8 * OUT), 440, OUT).db > 80);
  assertConserved(stats);
});

test("jitter is learned, and is not heard then", () => {
  const next = chance(5);
  const playout = started(OUT, start);
  const arrivals = timetable(both(20), 64000, 0.02, (_, due) => due + 0.07 * next());
  let before = playout.stats();
  perform(playout, OUT, arrivals, 19.9, (now) => {
    if (now < 5) before = playout.stats();
  });
  assert.equal(playout.stats().concealmentEvents, before.concealmentEvents);
  near(playout.stats().targetDelay, 0.08, 0.02, "target");
});

test("a stall of 2 s is one gap, nothing is lost, and it is made good in 8 s without a pause to cut", () => {
  const playout = started(OUT, start);
  const noise = chance(9);
  const stalled = timetable(
    s16le(
      16000 * 40,
      () => noise() - 0.5,
      () => noise() - 0.5,
    ),
    64000,
    0.02,
    (_, due) => (due > 20 && due < 22 ? 22 : due),
  );
  /** @type {string[]} */
  const modes = [];
  /** @type {[number, number][]} */
  const delays = [];
  perform(playout, OUT, stalled, 39.9, (now) => {
    if (playout.mode !== modes.at(-1)) modes.push(playout.mode);
    delays.push([now, playout.stats().delay]);
  });
  const at = (/** @type {number} */ second) => delays.find(([now]) => now >= second)?.[1] ?? Number.NaN;
  const stats = playout.stats();
  assert.deepEqual(modes, ["waiting", "playing", "gap", "playing"]);
  assert.equal(stats.concealmentEvents, 1);
  assert.equal(stats.interruptionCount, 1);
  near(stats.totalInterruptionDuration, 1.99, 0.02, "interrupted for");
  assert.ok(at(21.9) > 1.8, "the delay grows while the gap lasts");
  near(at(30), at(20), 0.06, "8 s after the stall");
  assert.equal(stats.samplesDiscarded + stats.samplesCut, 0);
  near(stats.samplesStretched / 16000, 2, 0.1, "seconds played off faster");
  assertConserved(stats);
});

test("after a gap the sound goes on where it broke off", () => {
  const playout = started(FINE, start);
  const ramp = (/** @type {number} */ k) => 0.2 + k / 100000; // each value stands for the place in the source that it comes from
  const place = (/** @type {number} */ value) => (100000 * (value - 0.2)) / 16000;
  const stalled = timetable(s16le(64000, ramp, ramp), 64000, 0.02, (_, due) => (due > 1 && due < 1.3 ? 1.3 : due));
  const { left } = perform(playout, FINE, stalled, 1.9);
  const breaks = left.findIndex((value, k) => k > 0.9 * FINE && value < 0.01);
  const resumes = left.findIndex((value, k) => k > breaks && value > 0.01);
  assert.ok(breaks > 0.9 * FINE && resumes > breaks);
  const broken = place(left.subarray(0, breaks).reduce((most, value) => Math.max(most, value)));
  near(place(left[resumes + 480]), broken + 0.005, 0.001, "heard 10 ms after the gap, of which 5 ms were heard before it");
});

test("no edge steps: start, gap, restart and end are faded", () => {
  const playout = started(FINE, start);
  const flat = s16le(
    16000 * 4,
    () => 0.9,
    () => -0.9,
  );
  const stalled = timetable(flat, 64000, 0.02, (_, due) => (due > 1 && due < 2 ? 2 : due));
  const { left, right } = perform(playout, FINE, stalled, 3.5);
  playout.end();
  const rest = pull(playout, 3, FINE);
  for (const channel of [
    [...left, ...rest.left],
    [...right, ...rest.right],
  ]) {
    let step = 0;
    for (let k = 1; k < channel.length; k++) step = Math.max(step, Math.abs(channel[k] - channel[k - 1]));
    assert.ok(step < 0.01, `a step of ${step}`);
  }
  assert.equal(playout.mode, "drained");
});

test("whatever the arrivals, everything is played once the stream has ended, and it never blocks", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const next = chance(seed);
    const playout = started([44100, 48000, 16000][seed % 3], start);
    const outRate = [44100, 48000, 16000][seed % 3];
    const bytes = both(4);
    /** @type {import("./helpers.mjs").Arrivals} */
    const arrivals = [];
    let at = 0;
    for (let from = 0; from < bytes.length; ) {
      const size = 1 + Math.floor(next() ** 4 * 64000);
      arrivals.push([at, bytes.subarray(from, from + size)]);
      from += size;
      at += next() < 0.05 ? next() : (size / 64000) * (0.7 + 0.6 * next());
    }
    perform(playout, outRate, arrivals, at + 0.1, () => assertConserved(playout.stats()));
    playout.end();
    for (let k = 0; k < 10 && playout.mode !== "drained"; k++) pull(playout, 1, outRate);
    const stats = playout.stats();
    assert.equal(playout.mode, "drained", `seed ${seed}`);
    assert.equal(stats.samplesPlayed + stats.samplesStretched + stats.samplesCut, 64000, `seed ${seed}`);
    assert.equal(stats.samplesBuffered, 0);
  }
});

test("a pause of the sender leaves no words in the buffer", () => {
  const playout = started(OUT, start);
  playout.push(both(0.05), 0);
  pull(playout, 0.3, OUT);
  near(playout.stats().samplesPlayed, 800, 100, "samples played");
});

test("a backlog longer than the first ring is kept whole", () => {
  const playout = started(OUT, start);
  for (let k = 0; k < 60; k++) playout.push(both(1), k);
  assert.equal(playout.stats().samplesDiscarded, 0);
  const { left } = pull(playout, 59.9, OUT);
  assert.ok(sinad(left.slice(50 * OUT, 50.9 * OUT), 440, OUT).db > 80);
});

test("memory has an end: of ten minutes unheard the newest are kept, and the rest is counted", () => {
  const playout = started(OUT, start);
  const minute = both(60);
  for (let k = 0; k < 10; k++) playout.push(minute, 60 * k);
  const stats = playout.stats();
  assert.ok(stats.samplesDiscarded > 0);
  assertConserved(stats);
  near(stats.samplesBuffered / 16000, 262, 1, "seconds kept");
});

test("an empty stream that ends is drained at once", () => {
  const playout = started(OUT);
  playout.end();
  pull(playout, 0.01, OUT);
  assert.equal(playout.mode, "drained");
});

test("what came while no sound was allowed is left out, and counted", () => {
  const playout = started(OUT, start);
  playout.push(both(5), 0);
  playout.skipToLive();
  const stats = playout.stats();
  near(stats.samplesBuffered / 16000, stats.targetDelay, 0.001, "seconds kept");
  assertConserved(stats);
});

test("gains, spread and levels", () => {
  const playout = started(OUT, start);
  playout.push(s16le(16000 * 6, tone(440, 16000, 0.8), tone(990, 16000, 0.4)), 0);
  pull(playout, 0.5, OUT);
  const levels = new Float32Array(4);
  playout.takeLevels(levels);
  playout.setGain("customer", 0);
  pull(playout, 0.5, OUT);
  playout.takeLevels(levels);
  near(levels[0], 0.8, 0.01, "customer's peak, muted or not");
  near(levels[1], 0.8 * Math.SQRT1_2, 0.01, "customer's RMS");
  near(levels[2], 0.4, 0.01, "assistant's peak");
  const muted = pull(playout, 0.2, OUT);
  assert.ok(muted.left.every((value) => value === 0));
  assert.ok(sinad(muted.right, 990, OUT).db > 80);
  playout.setSpread(false);
  pull(playout, 0.1, OUT);
  const together = pull(playout, 0.2, OUT);
  assert.deepEqual(together.left, together.right);
  near(sinad(together.left, 990, OUT).amplitude, 0.4 * Math.SQRT1_2, 0.001, "one voice in both ears");
});

test("there is always a dither of about -100 dBFS, or Chromium would pause its sink", () => {
  const playout = new Playout(OUT);
  const { left } = pull(playout, 1, OUT);
  const rms = Math.sqrt(left.reduce((sum, value) => sum + value * value, 0) / left.length);
  near(20 * Math.log10(rms), -102.8, 1, "dither in dBFS");
});
