import assert from "node:assert/strict";
import { test } from "node:test";
import { AutoGain } from "../../assets/playout/auto_gain.js";
import { KWeighting } from "../../assets/playout/k_weighting.js";
import { CEILING, Limiter } from "../../assets/playout/limiter.js";
import { chance, near, perform, QUANTUM, s16le, silence, started, timetable, tone } from "./helpers.mjs";

const OUT = 24000; // the output's rate is no matter here, and a low one is quick
const RATE = 16000;
const start = { type: "start", encoding: "linear16", sampleRate: RATE, channels: 2 };

// 140 Hz and eleven harmonics: seven periods are 800 samples
const VOICE = Float64Array.from({ length: 800 }, (_, k) => {
  let voice = 0;
  for (let harmonic = 1; harmonic <= 12; harmonic++) voice += Math.sin((2 * Math.PI * 140 * harmonic * k) / RATE) / harmonic;
  return voice;
});

/**
 * Something like speech: syllables of a voice with harmonics, four in a second, some louder than others, with a pause after every tenth.
 * @param {number} rms of all of it, pauses left out
 * @param {number} seed
 * @returns {import("./helpers.mjs").Signal}
 */
function speech(rms, seed) {
  const next = chance(seed);
  const loud = Array.from({ length: 400 }, () => 0.5 + next());
  return (k) => {
    const syllable = Math.floor((4 * k) / RATE);
    if (syllable % 10 === 9) return 0.0003 * (next() - 0.5);
    const within = Math.sin(Math.PI * (((4 * k) / RATE) % 1)) ** 2;
    return 1.36 * rms * loud[syllable % loud.length] * within * VOICE[k % VOICE.length];
  };
}

/**
 * @param {number} rms
 * @param {number} seed
 * @returns {import("./helpers.mjs").Signal}
 */
function noise(rms, seed) {
  const next = chance(seed);
  return () => rms * Math.sqrt(12) * (next() - 0.5);
}

/**
 * Plays two speakers for so many seconds.
 * @param {number} seconds
 * @param {import("./helpers.mjs").Signal[]} signals
 * @param {(playout: ReturnType<typeof started>) => void} [prepare]
 */
function play(seconds, signals, prepare = () => {}) {
  const playout = started(OUT, start);
  prepare(playout);
  const arrivals = timetable(s16le(seconds * RATE, ...signals), 4 * RATE);
  return { ...perform(playout, OUT, arrivals, seconds), stats: playout.stats() };
}

/**
 * Integrated loudness of EBU R128 in LUFS: blocks of 400 ms, four in that time, gated at -70 LUFS and 10 LU below the rest.
 * @param {Float32Array} sound
 */
function loudness(sound) {
  const weighting = new KWeighting(OUT);
  /** @type {number[]} */
  const tenths = [];
  for (let at = 0; at + OUT / 10 <= sound.length; at += OUT / 10) {
    weighting.energy[0] = 0;
    weighting.add(sound.subarray(at, at + OUT / 10));
    tenths.push(weighting.energy[0] / (OUT / 10));
  }
  const blocks = tenths.slice(3).map((_, k) => (tenths[k] + tenths[k + 1] + tenths[k + 2] + tenths[k + 3]) / 4);
  const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  const audible = blocks.filter((power) => power > 10 ** -6.9309);
  const gate = mean(audible) / 10;
  return -0.691 + 10 * Math.log10(mean(audible.filter((power) => power > gate)));
}

test("a sine of 997 Hz at full scale has -3.01 LUFS at every rate, as BS.1770 says", () => {
  for (const rate of [44100, 48000, 96000]) {
    const weighting = new KWeighting(rate);
    const sine = Float32Array.from({ length: 4 * rate }, (_, k) => tone(997, rate, 1)(k));
    weighting.add(sine.subarray(0, rate));
    weighting.energy[0] = 0;
    weighting.add(sine.subarray(rate));
    near(-0.691 + 10 * Math.log10(weighting.energy[0] / (3 * rate)), -3.01, 0.05, `LUFS at ${rate} Hz`);
  }
});

test("a quiet and a loud speaker end within 1.5 LU of each other, near -23 LUFS", () => {
  const { left, right, stats } = play(40, [speech(0.04, 1), speech(0.2, 2)]);
  const [quiet, loud] = [left, right].map((ear) => loudness(ear.subarray(25 * OUT)));
  near(quiet, loud, 1.5, "LUFS of the quiet one");
  near(quiet, -23, 1.5, "LUFS of the quiet one");
  assert.ok(stats.gain.customer > 6, `${stats.gain.customer} dB`);
  assert.ok(stats.gain.assistant < -3, `${stats.gain.assistant} dB`);
  near(Number(stats.loudness.customer) + stats.gain.customer, -23, 2, "loudness and gain together");
});

test("no gain is over 12 dB, and none is applied when it is off", () => {
  const faint = play(40, [speech(0.006, 1), silence]);
  near(faint.stats.gain.customer, 12, 0.5, "gain in dB");
  assert.ok(faint.stats.gain.customer <= 12);
  assert.equal(faint.stats.gain.assistant, 0);
  assert.equal(faint.stats.loudness.assistant, null);
  const off = play(20, [speech(0.02, 1), speech(0.2, 2)], (playout) => playout.setAutoGain(false));
  assert.deepEqual(off.stats.gain, { customer: 0, assistant: 0 });
  near(loudness(off.right.subarray(10 * OUT)) - loudness(off.left.subarray(10 * OUT)), 20, 1, "LU between them");
});

test("noise alone, however it begins, is not raised, and a pause changes no gain", () => {
  for (const rms of [0.0005, 0.005, 0.03]) {
    const line = noise(rms, 5);
    const late = noise(rms, 6);
    const { stats } = play(20, [line, (k) => (k < 5 * RATE ? 0.1 * late(k) : late(k))]);
    assert.deepEqual(stats.gain, { customer: 0, assistant: 0 }, `noise of ${rms}`);
  }
  const [talk, line] = [speech(0.03, 1), noise(0.002, 7)];
  /** @type {number[]} */
  const gains = [];
  const playout = started(OUT, start);
  const signal = (/** @type {number} */ k) => (k < 15 * RATE ? talk(k) : line(k));
  perform(playout, OUT, timetable(s16le(40 * RATE, signal, silence), 4 * RATE), 40, (now) => {
    if (now > 18) gains.push(playout.stats().gain.customer);
  });
  assert.ok(gains[0] > 1);
  assert.equal(Math.max(...gains), Math.min(...gains));
});

test("the gain moves by less than 3 dB in a second, and hardly moves once it has arrived", () => {
  const playout = started(OUT, start);
  /** @type {number[]} */
  const gains = [];
  perform(playout, OUT, timetable(s16le(60 * RATE, speech(0.02, 3), silence), 4 * RATE), 60, () =>
    gains.push(playout.stats().gain.customer),
  );
  const second = Math.ceil(OUT / QUANTUM);
  for (let k = second; k < gains.length; k++) assert.ok(Math.abs(gains[k] - gains[k - second]) <= 3.01);
  const late = gains.slice(30 * second);
  assert.ok(Math.max(...late) - Math.min(...late) < 2, `moves by ${Math.max(...late) - Math.min(...late)} dB`);
});

test("the limiter lets no sample above its ceiling, and does not touch what is below it", () => {
  const next = chance(9);
  const burst = (/** @type {number} */ k) => (Math.floor(k / 3000) % 3 === 0 ? 1.98 * (next() - 0.5) : 0.2 * (next() - 0.5));
  for (const spread of [true, false]) {
    const { left, right, stats } = play(10, [burst, burst], (playout) => playout.setSpread(spread));
    for (const ear of [left, right]) assert.ok(ear.every((sample) => Math.abs(sample) <= Math.fround(CEILING)));
    assert.ok(stats.limitedSamples > 0);
  }
  const low = tone(300, RATE, 0.6);
  assert.equal(play(5, [low, low]).stats.limitedSamples, 0);
});

test("the limiter has lowered its gain before a peak comes: hardly anything is clipped", () => {
  const limiter = new Limiter(OUT);
  const signal = Float32Array.from({ length: OUT }, (_, k) => (k > OUT / 2 ? 2 : 0.5) * Math.sin((2 * Math.PI * 440 * k) / OUT));
  const ahead = new Float64Array(1);
  let clipped = 0;
  for (let at = 0; at + 2 * QUANTUM <= signal.length; at += QUANTUM) {
    ahead[0] = signal.subarray(at + QUANTUM, at + 2 * QUANTUM).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const piece = signal.subarray(at, at + QUANTUM);
    limiter.limit(piece, ahead, 0);
    clipped += piece.reduce((count, value) => count + Number(Math.abs(value) >= Math.fround(CEILING)), 0);
  }
  assert.equal(clipped, 0);
});

test("a change of the gain is no step", () => {
  const gain = new AutoGain(OUT);
  const talk = speech(0.02, 4);
  const piece = new Float32Array(QUANTUM);
  let before = 1;
  for (let at = 0; at < 20 * OUT; at += QUANTUM) {
    for (let k = 0; k < QUANTUM; k++) piece[k] = talk(Math.round(((at + k) * RATE) / OUT));
    gain.listen(piece);
    piece.fill(1);
    gain.apply(piece);
    for (const value of piece) {
      assert.ok(Math.abs(value - before) < 2e-4);
      before = value;
    }
  }
  assert.ok(before > 1.5);
});
