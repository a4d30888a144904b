import assert from "node:assert/strict";
import { test } from "node:test";
import { readStartFrame } from "../../assets/playout/stream_format.js";
import { chance, pull, s16le, sinad, started, timetable, tone } from "./helpers.mjs";

const OUT = 24000; // the output's rate is no matter here, and a low one is quick
const start = { type: "start", encoding: "linear16", container: "raw", sampleRate: 16000, channels: 2 };
/** @param {number} seed */
const noise = (seed) => {
  const next = chance(seed);
  return () => next() - 0.5;
};

/**
 * @param {Uint8Array} bytes
 * @param {import("./helpers.mjs").StartFrame} frame
 * @param {number[]} cuts
 */
function played(bytes, frame, cuts) {
  const playout = started(OUT, frame);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    playout.push(bytes.subarray(from, to), 0);
    from = to;
  }
  playout.end();
  const { left, right } = pull(playout, 1, OUT);
  assert.equal(playout.mode, "drained");
  return { left, right };
}

/** @type {Record<string, [import("./helpers.mjs").StartFrame, Uint8Array]>} */
const KINDS = {
  "s16le x 2": [start, s16le(8000, noise(1), noise(2))],
  "s16le x 1": [{ ...start, channels: 1 }, s16le(8000, noise(3))],
  "mu-law x 2": [{ ...start, encoding: "mulaw", sampleRate: 8000 }, Uint8Array.from({ length: 8000 }, (_, k) => (k * 37) & 0xff)],
};

for (const [kind, [frame, bytes]] of Object.entries(KINDS)) {
  test(`any cut of the byte stream gives the same samples: ${kind}`, () => {
    const whole = played(bytes, frame, []);
    for (let seed = 1; seed <= 40; seed++) {
      const next = chance(seed);
      const longest = [1, 3, 7, 1281, 9000][seed % 5];
      const cuts = [];
      for (let at = 0; at < bytes.length; at += Math.floor(next() * (longest + 1))) cuts.push(at); // a frame may be empty, too
      const cut = played(bytes, frame, cuts);
      assert.deepEqual(cut.left, whole.left, `left, seed ${seed}`);
      assert.deepEqual(cut.right, whole.right, `right, seed ${seed}`);
    }
  });
}

test("a start frame after a reconnect frees what was left of a cut sample, and channels stay where they were", () => {
  const playout = started(OUT, start);
  playout.push(s16le(16000, tone(500, 16000), tone(900, 16000)).subarray(0, 63997), 0);
  playout.start(start);
  playout.push(s16le(16000, tone(500, 16000), tone(900, 16000)), 0);
  const { left, right } = pull(playout, 2, OUT);
  assert.equal(playout.stats().samplesReceived, 31999);
  assert.ok(sinad(left.slice(1.3 * OUT, 1.7 * OUT), 500, OUT).db > 60);
  assert.ok(sinad(right.slice(1.3 * OUT, 1.7 * OUT), 900, OUT).db > 60);
});

test("one channel is heard in both ears", () => {
  const { left, right } = played(KINDS["s16le x 1"][1], KINDS["s16le x 1"][0], []);
  assert.deepEqual(left, right);
});

test("mu-law is G.711's", () => {
  const bytes = Uint8Array.of(0x00, 0x80, 0x7f, 0xff, 0x0f, 0x8f, 0x4e, 0xce);
  const expected = [-32124, 32124, 0, 0, -16764, 16764, -988, 988]; // ITU-T G.191's table, in 16 bits
  for (const [k, byte] of bytes.entries()) {
    const playout = started(8000, { encoding: "mulaw", sampleRate: 8000, channels: 1 });
    playout.setGain("customer", 0.5); // below the limiter's ceiling
    playout.push(new Uint8Array(8000).fill(byte), 0);
    const { left } = pull(playout, 0.5, 8000);
    assert.ok(Math.abs(left[3000] * 65536 - expected[k]) < 1, `${byte}: ${left[3000] * 65536}, not ${expected[k]}`);
  }
});

test("start frames, good and bad", () => {
  assert.deepEqual(readStartFrame(start), { sampleRate: 16000, channels: 2, encoding: "s16le", ground: "start frame" });
  assert.deepEqual(readStartFrame({ sample_rate: 8000, channels: 1, encoding: "MULAW" }), {
    sampleRate: 8000,
    channels: 1,
    encoding: "mulaw",
    ground: "start frame",
  });
  assert.equal(readStartFrame({ ...start, assumed: true }).ground, "assumed");
  for (const bad of [
    {},
    { sampleRate: 0, channels: 2 },
    { sampleRate: 1e9, channels: 2 },
    { sampleRate: 16000, channels: 3 },
    { sampleRate: "x" },
  ]) {
    assert.deepEqual(readStartFrame(bad), { sampleRate: 16000, channels: 2, encoding: "s16le", ground: "assumed" });
  }
});

test("without a start frame, how fast bytes come tells 48 kHz from 16 kHz", () => {
  const bytes = s16le(48000 * 6, tone(1000, 48000), tone(700, 48000));
  const playout = started(OUT);
  for (const [at, frame] of timetable(bytes, 192000)) {
    playout.push(frame, at);
    pull(playout, 0.02, OUT);
  }
  const { format } = playout.stats();
  assert.deepEqual(format, { sampleRate: 48000, channels: 2, encoding: "s16le", ground: "measured" });
});

test("an assumption that holds is kept, and no sound is lost over it", () => {
  const playout = started(OUT);
  const arrivals = timetable(s16le(16000 * 6, tone(1000, 16000), tone(700, 16000)), 64000);
  for (const [at, frame] of arrivals) {
    playout.push(frame, at);
    pull(playout, 0.02, OUT);
  }
  assert.equal(playout.stats().format.ground, "measured");
  assert.equal(playout.stats().samplesDiscarded, 0);
});

test("a format that changes mid-call is followed, and what came before is still heard at its own rate", () => {
  const playout = started(OUT, start);
  playout.push(s16le(16000, tone(1000, 16000), tone(400, 16000)), 0);
  playout.start({ ...start, sampleRate: 48000 });
  playout.push(s16le(96000, tone(1000, 48000), tone(400, 48000)), 0);
  const { left, right } = pull(playout, 2.5, OUT);
  for (const from of [0.2, 1.3]) {
    assert.ok(sinad(left.slice(from * OUT, (from + 0.6) * OUT), 1000, OUT).db > 80, `left from ${from} s`);
    assert.ok(sinad(right.slice(from * OUT, (from + 0.6) * OUT), 400, OUT).db > 80, `right from ${from} s`);
  }
});

test("mu-law is understood however it is spelled, and an encoding that is not known is measured, not believed", () => {
  for (const encoding of ["mulaw", "MU-LAW", "u-law", "µ-law", "PCMU", "pcm_mulaw", "G711_ULAW", "audio/x-mulaw", "audio/PCMU;rate=8000"]) {
    const format = readStartFrame({ sampleRate: 8000, channels: 1, encoding });
    assert.deepEqual(format, { sampleRate: 8000, channels: 1, encoding: "mulaw", ground: "start frame" }, encoding);
  }
  for (const encoding of ["opus", "alaw", "", null, {}, 7]) {
    assert.equal(readStartFrame({ sampleRate: 8000, channels: 1, encoding }).ground, "assumed", String(encoding));
  }
  const playout = started(OUT, { sampleRate: 8000, channels: 1, encoding: "something new" });
  const bytes = Uint8Array.from({ length: 48000 }, (_, k) => (k * 37) & 0xff);
  for (const [at, frame] of timetable(bytes, 8000)) {
    playout.push(frame, at);
    pull(playout, 0.02, OUT);
  }
  assert.deepEqual(playout.stats().format, { sampleRate: 8000, channels: 1, encoding: "mulaw", ground: "measured" });
});
