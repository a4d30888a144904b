import assert from "node:assert/strict";
import { test } from "node:test";
import { chance, near, perform, pull, s16le, started, timetable, tone } from "./helpers.mjs";

const OUT = 24000; // the output's rate is no matter here, and a low one is quick
const RATE = 16000;
const STEP = 0.016; // seconds: a whole number of quanta
const start = { type: "start", encoding: "linear16", sampleRate: RATE, channels: 2 };

/**
 * Plays a live stream of so many seconds, of which the frames of `lost` never come, each up to 30 ms late, and calls `each` before each step.
 * @param {ReturnType<typeof started>} playout
 * @param {number} seconds
 * @param {[number, number]} lost from when to when, in seconds
 * @param {(due: number) => number} comes when a frame comes that is due at `due`
 * @param {(now: number) => void} each
 */
function play(playout, seconds, lost, comes = (due) => due, each = () => {}) {
  const late = chance(3);
  const frames = timetable(s16le(seconds * RATE, tone(440, RATE), tone(990, RATE)), 4 * RATE, 0.02, (_, due) => comes(due) + 0.03 * late());
  let next = 0;
  for (let now = 0; now < seconds; now += STEP) {
    each(now);
    for (; next < frames.length && frames[next][0] <= now; next++) {
      const sentAt = next * 0.02;
      if (sentAt < lost[0] || sentAt >= lost[1]) playout.push(frames[next][1], 1e9 + frames[next][0]);
    }
    if (now > seconds - 0.03) break; // the last frames are still under way
    pull(playout, STEP, OUT);
  }
}

/**
 * Sent, heard, caught up and left out, in seconds of the stream.
 * @param {ReturnType<typeof started>} playout
 */
function sums(playout) {
  const stats = playout.stats();
  const heard = stats.samplesPlayed + stats.samplesBuffered;
  const caughtUp = stats.samplesStretched + stats.samplesCut;
  const leftOut = stats.samplesDiscarded + stats.samplesMissed;
  assert.equal(stats.samplesReceived, heard + caughtUp + stats.samplesDiscarded);
  return { missed: stats.samplesMissed / RATE, discarded: stats.samplesDiscarded / RATE, all: (heard + caughtUp + leftOut) / RATE };
}

test("what was sent while the connection was lost is counted to within 20 ms, once", () => {
  const playout = started(OUT, start);
  let again = false;
  play(playout, 20, [5, 7.5], undefined, (now) => {
    if (now < 7.5 || again) return;
    again = true;
    playout.start(start);
  });
  const { missed, all } = sums(playout);
  near(missed, 2.5, 0.02, "seconds missed");
  near(all, 20, 0.1, "seconds sent");
  near(playout.takeUnheard(), 2.5, 0.02, "seconds told");
  assert.equal(playout.takeUnheard(), 0);
});

test("where the stream says at which byte a connection begins, what was missed is known to the sample", () => {
  const playout = started(OUT, { ...start, stream: "a1", position: 0 });
  const late = chance(5);
  let begun = 0;
  // The second connection is to the same stream, the third to another one, of which nothing is known.
  play(
    playout,
    30,
    [5, 7.5],
    (due) => (due > 7.4 && due < 11 ? due + 0.2 * late() : due), // every frame is late for a while, as beside a busy machine
    (now) => {
      if (begun === 0 && now >= 7.5) playout.start({ ...start, stream: "a1", position: 7.5 * 4 * RATE });
      else if (begun === 1 && now >= 20) playout.start({ ...start, stream: "b2", position: 9000 });
      else return;
      begun++;
    },
  );
  const { missed, all } = sums(playout);
  assert.ok(Math.abs(missed - 2.5) < 0.02, `${missed} s missed`); // the third one is estimated
  near(all, 30, 0.1, "seconds sent");
});

test("what the server dropped, or was not passed on, is counted to the sample, and a wake adds nothing to it", () => {
  const playout = started(OUT, { ...start, stream: "a1", position: 0 });
  const bytes = s16le(8 * RATE, tone(440, RATE), tone(990, RATE));
  const late = chance(6);
  const frame = 0.01 * 4 * RATE;
  let now = 0;
  const listen = (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let k = Math.round(100 * from); k < Math.round(100 * to); k++) {
      playout.push(bytes.subarray(k * frame, (k + 1) * frame), 1e9 + now + 0.2 * late());
      pull(playout, 0.008, OUT); // a whole number of quanta
      now += 0.01;
    }
  };
  listen(0, 2);
  playout.drop(1.25 * 4 * RATE);
  playout.wake();
  listen(3.25, 5);
  const { missed } = sums(playout);
  assert.equal(missed, 1.25);
  playout.start({ ...start, stream: "a1", position: 6 * 4 * RATE });
  listen(6, 8);
  assert.equal(sums(playout).missed, 2.25);
});

test("a stall is no loss, even if the stream starts again after it", () => {
  const playout = started(OUT, start);
  let again = false;
  play(
    playout,
    20,
    [0, 0],
    (due) => (due > 5 && due < 8 ? 8 : due),
    (now) => {
      if (now < 12 || again) return;
      again = true;
      playout.start(start);
    },
  );
  assert.ok(sums(playout).missed < 0.02, `${sums(playout).missed} s missed`);
});

test("after a wake the sound is live at once, and old sound and sound that never came are counted together", () => {
  const playout = started(OUT, start);
  const late = chance(4);
  const bytes = s16le(70 * RATE, tone(440, RATE), tone(990, RATE));
  const size = 64000 * 0.02;
  // Asleep from 5 s to 60 s: 10 s of the sound were held by the network and come in a burst, the 45 s after them never come.
  let next = 0;
  let slept = 0;
  let heard = 0;
  for (let now = 0; now < 69.97; now += STEP) {
    if (now > 5 && slept === 0) {
      slept = 55;
      now += slept;
      for (; next * 0.02 < 15; next++) playout.push(bytes.subarray(next * size, (next + 1) * size), 1e9 + now);
      next = Math.floor(now / 0.02) - 1;
      playout.wake();
    }
    for (; (next + 1) * 0.02 + 0.005 * late() <= now; next++) playout.push(bytes.subarray(next * size, (next + 1) * size), 1e9 + now);
    if (slept && now < 61.5) playout.settle(false);
    pull(playout, STEP, OUT);
    if (slept && heard === 0 && now > 60.5) heard = playout.stats().delay;
  }
  const { missed, discarded, all } = sums(playout);
  assert.ok(heard < 0.2, `${heard} s behind half a second after the wake`);
  near(missed, 45, 0.03, "seconds that never came");
  near(discarded, 10, 0.15, "seconds of old sound");
  near(all, 69.97, 0.1, "seconds sent");
  near(playout.takeUnheard(), 55, 0.15, "seconds told");
});

test("on a line that stalls for seconds, what is heard and what was left out to catch up are all that was sent", () => {
  const seconds = 60;
  const turn = (2 * Math.PI) / 4000; // per sample: the two channels are the hands of a clock, which tell each sample's number
  const bytes = s16le(
    seconds * RATE,
    (k) => 0.8 * Math.cos(turn * k),
    (k) => 0.8 * Math.sin(turn * k),
  );
  const next = chance(11);
  let held = 0; // until when the line stands still
  const frames = timetable(bytes, 4 * RATE, 0.02, (k, due) => {
    if (k % 50 === 0 && due > held) held = due + [0, 0.08, 0.3, 1, 5][Math.floor(next() ** 2 * 5)];
    return Math.max(due + 0.03 * next(), due < held ? held : 0);
  });
  const playout = started(RATE, start);
  playout.setAutoGain(false);
  const { left, right } = perform(playout, RATE, frames, seconds + 60);
  const stats = playout.stats();
  assert.equal(stats.samplesReceived, seconds * RATE);
  assert.equal(stats.samplesDiscarded + stats.samplesMissed, 0);
  const caughtUp = stats.samplesStretched + stats.samplesCut;
  assert.equal(stats.samplesPlayed + stats.samplesBuffered + caughtUp, seconds * RATE);
  assert.ok(stats.interruptionCount > 3 && caughtUp > RATE);

  const heard = new Uint8Array(seconds * RATE);
  let at = 0; // number of the sample that was heard last
  let before = 0;
  for (let k = 0; k < left.length; k++) {
    const angle = Math.atan2(right[k], left[k]);
    const moved = (((angle - before + 3 * Math.PI) % (2 * Math.PI)) - Math.PI) / turn;
    before = angle;
    if (Math.hypot(left[k], right[k]) < 0.1 || Math.abs(moved - 1) > 0.3) continue; // a gap, a crossfade, or comfort noise
    at += ((((angle / turn - at) % 4000) + 6000) % 4000) - 2000;
    for (const place of [Math.floor(at), Math.ceil(at)]) heard[Math.max(0, place)] = 1;
  }
  let [hole, longest, unheard] = [0, 0, 0];
  for (let k = 0; k < seconds * RATE - stats.samplesBuffered - 20; k++) {
    hole = heard[k] ? 0 : hole + 1;
    longest = Math.max(longest, hole);
    unheard += 1 - heard[k];
  }
  assert.ok(longest < 0.02 * RATE, `a hole of ${(1000 * longest) / RATE} ms`); // a pitch period and the crossfade over it
  // The crossfade over 2.5 ms or more that are left out takes 5 ms.
  assert.ok(unheard > 0.98 * caughtUp && unheard < 3 * caughtUp, `${unheard / RATE} s not found, ${caughtUp / RATE} s left out`);
});

test("whatever a stream that comes by no relay says of its bytes, the sound goes on", () => {
  const words = [{ valueOf: 1, toString: 1 }, "x", "64000", -1, 0.5, 1e308, Number.NaN, null, [], true, Number.MAX_SAFE_INTEGER];
  const bytes = s16le(0.25 * RATE, tone(440, RATE), tone(990, RATE));
  for (const [first, second] of words.flatMap((one) => words.map((other) => [one, other]))) {
    const playout = started(OUT, { ...start, stream: "a1", position: first });
    const told = `${JSON.stringify(first)}, then ${JSON.stringify(second)}`;
    const listen = () => {
      for (let k = 0; k < 25; k++) {
        playout.push(bytes.subarray(k * 640, (k + 1) * 640), 1e9 + k / 100);
        pull(playout, 0.008, OUT);
      }
    };
    listen();
    playout.drop(/** @type {any} */ (second));
    listen();
    playout.start({ ...start, stream: "a1", position: second });
    listen();
    const stats = playout.stats();
    assert.ok(stats.samplesPlayed > 0.5 * RATE, `${told}: ${stats.samplesPlayed} samples played`);
    assert.ok(Number.isSafeInteger(stats.samplesMissed), `${told}: ${stats.samplesMissed} samples missed`);
    assert.ok(stats.delay < 1, `${told}: ${stats.delay} s behind`);
  }
});

test("where a stream has a name but no positions, what was missed is estimated", () => {
  const named = { ...start, stream: "a1" };
  const playout = started(OUT, named);
  let again = false;
  play(playout, 20, [5, 7.5], undefined, (now) => {
    if (now < 7.5 || again) return;
    again = true;
    playout.start(named);
  });
  near(sums(playout).missed, 2.5, 0.02, "seconds missed");
});
