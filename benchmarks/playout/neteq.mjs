/**
 * WebRTC NetEQ's playout rules on an arrival trace, for comparison.
 *
 * Written after decision_logic.cc, underrun_optimizer.cc and delay_manager.h (WebRTC, 2026-07): each packet's delay over the best of the last
 * 2 s; the worst per 500 ms goes into a histogram of 20 ms buckets that forgets by 0.983; the target is its 95th percentile, initially 80 ms.
 * A decision every 10 ms; faster or slower by one pitch period (2.5 to 15 ms), at most every 50 ms; an underrun is filled without consuming.
 * Delays are those of each played ms, from capture, above `base`, in ms.
 *
 * @typedef {object} Trace of one call
 * @property {string} name
 * @property {number[]} arrive ms, when each frame arrives
 * @property {number[]} produced ms, when each frame was produced
 * @property {number} frameMs
 * @property {number} clock the sender's, as a multiple of the true one
 */
import { chance } from "../../tests/playout/helpers.mjs";

class Histogram {
  constructor() {
    this.buckets = Float64Array.from({ length: 100 }, (_, k) => 0.5 ** (k + 1));
    this.forget = 0;
    this.added = 0;
  }

  /** @param {number} ms */
  add(ms) {
    const bucket = Math.floor(ms / 20);
    if (bucket < this.buckets.length) {
      for (let k = 0; k < this.buckets.length; k++) this.buckets[k] *= this.forget;
      this.buckets[bucket] += 1 - this.forget;
      const sum = this.buckets.reduce((a, b) => a + b);
      for (let k = 0; k < this.buckets.length; k++) this.buckets[k] /= sum;
      this.added++;
      this.forget = Math.max(0, Math.min(0.983, 1 - 2 / (this.added + 1)));
    }
    let sum = 0;
    const quantile = this.buckets.findIndex((value) => {
      sum += value;
      return sum >= 0.95;
    });
    return 20 * (1 + quantile);
  }
}

/**
 * @param {Trace} trace
 * @param {number} base ms
 * @returns {{mean: number, dropped: number, drops: number, end: number}}
 */
export function neteq({ arrive, frameMs, clock }, base, { seed = 0, from = 0 } = {}) {
  const next = chance(seed);
  const total = arrive.length * frameMs;
  const histogram = new Histogram();
  /** @type {[offset: number, sent: number][]} */
  let history = [];
  /** @type {number|null} */
  let since = null;
  let [best, spread, worst, target] = [Infinity, 0, 0, 80];
  let [position, arrived, lastStretch, concealing] = [0, 0, -999, false];
  let [sum, count, dropped, drops, end] = [0, 0, 0, 0, 0];
  for (let now = 0; position < total - 1 && now < arrive[arrive.length - 1] + 3000; now += 10) {
    for (; arrived < arrive.length && arrive[arrived] <= now; arrived++) {
      const offset = arrive[arrived] - arrived * frameMs;
      history.push([offset, arrived * frameMs]);
      history = history.filter(([, sent]) => sent >= arrived * frameMs - 2000);
      best = Math.min(...history.map(([value]) => value));
      spread = Math.max(...history.map(([value]) => value)) - best;
      if (arrived === 0) continue;
      since ??= now;
      if (now - since > 500) {
        target = histogram.add(worst);
        [since, worst] = [now, 0];
      }
      worst = Math.max(worst, offset - best);
    }
    if (arrived === 0) continue;
    const buffered = arrived * frameMs - position;
    let advance = 0;
    if (buffered <= 0) {
      if (now >= from) {
        dropped += 10;
        if (!concealing) drops++;
      }
      concealing = true;
    } else {
      const delay = now - position - best;
      advance = Math.min(10, buffered);
      if (!concealing && now - lastStretch >= 50 && buffered >= 30) {
        const way = delay >= target + spread + 20 ? 1 : delay < target ? -1 : 0;
        if (way !== 0 && next() < 0.8) {
          advance = Math.max(0, Math.min(buffered, advance + way * (2.5 + 12.5 * next())));
          lastStretch = now;
        }
      }
      concealing = false;
    }
    if (now >= from) {
      for (let k = 1; k <= 10; k++) {
        sum += now + k - 1 - (position + (advance * k) / 10) * clock - base;
        count++;
      }
      end = now - position * clock - base;
    }
    position += advance;
  }
  return { mean: sum / count, dropped, drops, end };
}
