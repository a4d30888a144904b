import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { chance, near, perform, pull, QUANTUM, s16le, silence, started, timetable, tone } from "./helpers.mjs";

setFlagsFromString("--expose-gc"); // without it the heap grows by what has not been collected yet
const collect = runInNewContext("gc");
const OUT = 24000; // the output's rate is no matter here, and a low one is quick
const FINE = 48000; // but for where the pace must be held to the sample
const start = { type: "start", encoding: "linear16", sampleRate: 16000, channels: 2 };

test("a sender whose clock is 2000 ppm off is followed, without a gap or a splice, and named", () => {
  for (const ppm of [2000, -2000]) {
    const playout = started(FINE, start);
    const frames = s16le(16000 * 40, tone(440, 16000), tone(990, 16000));
    const late = (/** @type {number} */ _, /** @type {number} */ due) => due / (1 + ppm / 1e6);
    /** @type {number[]} */
    const delays = [];
    perform(playout, FINE, timetable(frames, 64000, 0.02, late), 39, () => delays.push(playout.stats().delay));
    const stats = playout.stats();
    near(stats.drift, ppm, 50, "drift in ppm");
    near(delays.at(-1) ?? Number.NaN, delays[Math.round((3 * FINE) / QUANTUM)], 0.01, "delay at the end");
    assert.equal(stats.concealedSamples + stats.samplesStretched + stats.samplesCut, 0);
  }
});

test("bundles of five frames are learned, and then not heard", () => {
  const playout = started(OUT, start);
  const bundled = timetable(s16le(16000 * 10, tone(440, 16000), silence), 64000, 0.02, (k) => 0.1 * Math.ceil((k + 1) / 5));
  let early = playout.stats();
  perform(playout, OUT, bundled, 9.9, (now) => {
    if (now < 2) early = playout.stats();
  });
  assert.equal(playout.stats().concealmentEvents, early.concealmentEvents);
  near(playout.stats().targetDelay, 0.105, 0.01, "target");
});

test("after a stall pauses are cut, and both channels at the same place", () => {
  const playout = started(OUT, start);
  const words = (/** @type {number} */ hz) => (/** @type {number} */ k) => (k % 16000 < 8000 ? tone(hz, 16000)(k) : 0); // half of each second both are silent
  const stalled = timetable(s16le(16000 * 16, words(440), words(440)), 64000, 0.02, (_, due) => (due > 4 && due < 6 ? 6 : due));
  const { left, right } = perform(playout, OUT, stalled, 15.9);
  const { samplesCut, samplesDiscarded, delay } = playout.stats();
  assert.ok(samplesCut > 12000, `${samplesCut} cut`);
  assert.equal(samplesDiscarded, 0);
  assert.ok(delay < 0.08, `${delay} s behind`);
  near(
    left.reduce((most, value, k) => Math.max(most, Math.abs(value - right[k])), 0),
    0,
    1e-6,
    "what parts the two",
  );
});

test("to stay live is to leap ahead past 3 s, and what is left out is counted", () => {
  const playout = started(OUT, start);
  playout.setStayLive(true);
  const stalled = timetable(s16le(16000 * 14, tone(440, 16000), silence), 64000, 0.02, (_, due) => (due > 4 && due < 9 ? 9 : due));
  perform(playout, OUT, stalled, 10);
  const { samplesDiscarded, delay, targetDelay } = playout.stats();
  near(samplesDiscarded / 16000, 4.8, 0.3, "seconds left out");
  near(delay, targetDelay, 0.02, "delay");
});

test("a sender that says nothing for a while is no line that stalls: the depth stays", () => {
  const playout = started(OUT, start);
  const bytes = s16le(16000 * 10, tone(440, 16000), silence);
  const paused = timetable(bytes, 64000, 0.02, (_, due) => (due > 4 ? due + 1.5 : due));
  perform(playout, OUT, paused, 11.4);
  const { targetDelay, delay } = playout.stats();
  assert.ok(targetDelay < 0.05, `a target of ${targetDelay} s`);
  assert.ok(delay < 0.1, `${delay} s behind`);
});

test("the operator's word goes over the stream's, until it is taken back", () => {
  const playout = started(OUT, start);
  playout.setFormat({ sampleRate: 8000, channels: 1, encoding: "mulaw" });
  assert.deepEqual(playout.stats().format, { sampleRate: 8000, channels: 1, encoding: "mulaw", ground: "operator" });
  playout.start(start);
  assert.equal(playout.stats().format.ground, "operator");
  playout.setFormat(null);
  assert.equal(playout.stats().format.ground, "start frame");
});

test("left and right tell one speaker at 16 kHz from two at 8 kHz, which come as fast", () => {
  const speech = (/** @type {number} */ hz, /** @type {number} */ rate) => (/** @type {number} */ k) =>
    0.3 * Math.sin((2 * Math.PI * hz * k) / rate) + 0.1 * Math.sin((2 * Math.PI * 3.3 * hz * k) / rate);
  /** @type {[number, Uint8Array][]} */
  const streams = [
    [16000, s16le(96000, speech(150, 16000))],
    [8000, s16le(48000, speech(150, 8000), speech(221, 8000))],
  ];
  for (const [rate, bytes] of streams) {
    const playout = started(OUT);
    for (const [at, frame] of timetable(bytes, 32000)) {
      playout.push(frame, at);
      pull(playout, 0.02, OUT);
    }
    const { format } = playout.stats();
    assert.deepEqual(format, { sampleRate: rate, channels: rate === 16000 ? 1 : 2, encoding: "s16le", ground: "measured" });
  }
});

test("frames of one byte and of a second, stalls, clock jumps and format changes: it never blocks, and loses count of nothing", () => {
  for (let seed = 1; seed <= Number(process.env.ROBUST_SEEDS ?? 4); seed++) {
    const next = chance(seed);
    const playout = started(OUT, start);
    const left = new Float32Array(QUANTUM);
    const right = new Float32Array(QUANTUM);
    let clock = 0;
    for (let q = 0; q < 6000; q++) {
      clock += QUANTUM / OUT + (next() < 0.001 ? 7200 * (next() - 0.5) : 0);
      const size = next() < 0.02 ? 64000 * next() : next() < 0.3 ? 1 : 340 * next();
      if (next() < 0.6)
        playout.push(
          new Uint8Array(Math.floor(size)).map(() => 256 * next()),
          clock,
        );
      if (next() < 0.001)
        playout.start({ ...start, sampleRate: [8000, 16000, 44100, 48000][Math.floor(4 * next())], channels: next() < 0.5 ? 2 : 1 });
      if (next() < 0.0005) playout.skipToLive();
      playout.pull(left, right);
      assert.ok(left.every(Number.isFinite) && right.every(Number.isFinite), `seed ${seed}, quantum ${q}`);
      const { samplesPlayed, samplesStretched, samplesCut, samplesDiscarded, samplesBuffered, samplesReceived } = playout.stats();
      assert.equal(
        samplesPlayed + samplesStretched + samplesCut + samplesDiscarded + samplesBuffered,
        samplesReceived,
        `seed ${seed}, quantum ${q}`,
      );
    }
    playout.end();
    for (let second = 0; second < 90 && playout.mode !== "drained"; second++) pull(playout, 1, OUT);
    assert.equal(playout.mode, "drained", `seed ${seed}`);
  }
});

test("five minutes of listening leave the heap as it was", () => {
  const playout = started(16000, start); // the output's rate is no matter here, and a low one is quick
  const next = chance(2);
  const frame = s16le(
    320,
    () => next() - 0.5,
    () => next() - 0.5,
  );
  const left = new Float32Array(160);
  const right = new Float32Array(160);
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  let before = 0;
  for (let k = 0; k < 5 * 60 * 50; k++) {
    if (k === 60 * 50) before = heap();
    playout.push(frame, k / 50);
    playout.pull(left, right);
    playout.pull(left, right);
  }
  const more = heap() - before;
  assert.ok(more < 5e4, `${more} bytes more`);
  assert.ok(playout.stats().concealedSamples < 160, "no more than 10 ms missed");
});
