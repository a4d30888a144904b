/**
 * node simulate.mjs trace.json...: the real `playout.js` and NetEQ's rules on the same arrivals, without a browser and faster than life.
 * Prints a JSON line a trace. Delays in ms from capture to playing, above the best one-way delay.
 */
import { readFileSync } from "node:fs";
import { Playout } from "../../assets/playout/playout.js";
import { chance } from "../../tests/playout/helpers.mjs";
import { neteq } from "./neteq.mjs";

const RATE = 16000;
const QUANTUM = 48; // at 16 kHz as long as a browser's 128 are at 48 kHz
const SKIPPED_MS = 2000; // not measured, since a player has to learn first

/**
 * @typedef {import("./neteq.mjs").Trace} Trace
 * @typedef {object} Options
 * @property {number} [outRate] Hz
 * @property {number} [burst] quanta that are pulled at once, as a browser's callback does
 * @property {((now: number, delay: number, stats: ReturnType<Playout["stats"]>) => void)|null} [trail] gets each quantum
 */

/**
 * Our player on a trace.
 * @param {Trace} trace
 * @param {Options} [options]
 */
export function simulate({ arrive, produced, frameMs, clock }, { outRate = RATE, burst = 1, trail = null } = {}) {
  const playout = new Playout(outRate, { dither: 0 });
  playout.start({ sampleRate: RATE, channels: 2, encoding: "linear16" });
  const next = chance(1);
  const samples = (RATE * frameMs) / 1000;
  const frame = new Int16Array(2 * samples);
  const bytes = new Uint8Array(frame.buffer);
  const left = new Float32Array(QUANTUM);
  const right = new Float32Array(QUANTUM);
  const base = Math.min(...arrive.map((at, k) => at - produced[k]));
  const step = (QUANTUM / outRate) * 1000;
  const total = arrive.length * samples;
  /** @type {number|null} */
  let first = null;
  let [k, sum, count, dropped, drops, end, now] = [0, 0, 0, 0, 0, 0, 0];
  let before = playout.stats();
  for (let q = 0; now < arrive[arrive.length - 1] + 3000; q++) {
    now = q * step;
    if (q % burst === 0) {
      for (; k < arrive.length && arrive[k] <= now; k++) {
        for (let s = 0; s < frame.length; s++) frame[s] = 20000 * (next() - 0.5);
        playout.push(bytes, arrive[k] / 1000);
      }
    }
    playout.pull(left, right);
    const stats = playout.stats();
    const position = stats.samplesReceived - stats.samplesBuffered;
    if (k === arrive.length && position >= total - samples) break;
    if (stats.mode === "playing" && first === null) first = now - arrive[0];
    const delay = now + step - (position / RATE) * 1000 * clock - base;
    if (now >= SKIPPED_MS) {
      if (stats.mode === "playing") {
        sum += delay;
        count++;
      }
      dropped += ((stats.concealedSamples - before.concealedSamples) / outRate) * 1000;
      drops += stats.concealmentEvents - before.concealmentEvents;
    }
    end = delay;
    trail?.(now, delay, stats);
    before = stats;
  }
  const { insertedSamplesForDeceleration: inserted, removedSamplesForAcceleration: removed, targetDelay, drift } = playout.stats();
  return { mean: sum / count, dropped, drops, end, first, inserted, removed, target: targetDelay * 1000, drift, base };
}

/**
 * Mean delay and dropouts as one cost: 1 ms of dropout per second costs as much as 20 ms of delay.
 * @param {{mean: number, dropped: number}} run
 * @param {number} seconds
 */
export const cost = ({ mean, dropped }, seconds) => mean + (20 * dropped) / seconds;

/**
 * @param {Trace} trace
 * @param {Options} [options]
 */
export function compare(trace, options) {
  const seconds = (trace.arrive[trace.arrive.length - 1] - SKIPPED_MS) / 1000;
  const player = simulate(trace, options);
  const rules = [0, 1, 2].map((seed) => neteq(trace, player.base, { seed, from: SKIPPED_MS }));
  const mean = (/** @type {(run: ReturnType<typeof neteq>) => number} */ pick) =>
    rules.reduce((sum, run) => sum + pick(run), 0) / rules.length;
  return {
    name: trace.name,
    player,
    cost: cost(player, seconds),
    neteq: { mean: mean((r) => r.mean), dropped: mean((r) => r.dropped), drops: mean((r) => r.drops), end: mean((r) => r.end) },
    neteqCost: mean((run) => cost(run, seconds)),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const path of process.argv.slice(2)) console.log(JSON.stringify(compare(JSON.parse(readFileSync(path, "utf8")))));
}
