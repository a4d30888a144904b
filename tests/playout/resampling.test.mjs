import assert from "node:assert/strict";
import { test } from "node:test";
import { near, pull, s16le, silence, sinad, started, tone } from "./helpers.mjs";

/** @param {number} sampleRate */
const frame = (sampleRate, channels = 2) => ({ type: "start", encoding: "linear16", sampleRate, channels });

for (const outRate of [44100, 48000]) {
  for (const hz of [1000, 3000, 6000]) {
    test(`${hz} Hz at 16 kHz into ${outRate} Hz: at least 80 dB SINAD, 0.1 dB droop, 90 dB apart`, () => {
      const playout = started(outRate, frame(16000));
      playout.push(s16le(32000, tone(hz, 16000), silence), 0);
      const { left, right } = pull(playout, 1.5, outRate);
      const steady = left.slice(0.2 * outRate, 1.2 * outRate);
      const { db, amplitude } = sinad(steady, hz, outRate);
      assert.ok(db >= 80, `SINAD ${db.toFixed(1)} dB`);
      near(20 * Math.log10(amplitude / 0.5), 0, 0.1, "droop in dB");
      assert.equal(
        right.findIndex((value) => value !== 0),
        -1,
      );
    });
  }
}

for (const [inRate, outRate] of [
  [8000, 48000],
  [24000, 48000],
  [44100, 48000],
  [48000, 48000],
  [48000, 44100],
]) {
  test(`a tone keeps its pitch and level from ${inRate} to ${outRate} Hz`, () => {
    const playout = started(outRate, frame(inRate));
    playout.push(s16le(2 * inRate, tone(1000, inRate), tone(440, inRate)), 0);
    const { left, right } = pull(playout, 1.5, outRate);
    assert.ok(sinad(left.slice(0.2 * outRate, 1.2 * outRate), 1000, outRate).db >= 80);
    assert.ok(sinad(right.slice(0.2 * outRate, 1.2 * outRate), 440, outRate).db >= 80);
  });
}

test("what lies above a slower output's reach does not come back as another tone", () => {
  const playout = started(16000, frame(48000));
  playout.push(s16le(96000, tone(12000, 48000), silence), 0);
  const { left } = pull(playout, 1, 16000);
  const loudest = left.slice(3200).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(loudest < 0.5 * 10 ** (-50 / 20), `alias at ${20 * Math.log10(loudest)} dBFS`);
});
