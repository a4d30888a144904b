/**
 * Chooses the playout delay. Keeps a fading histogram of how late sound arrived (one entry per 500 ms) and picks the delay with the
 * lowest expected cost. 1 ms of dropout per second costs as much as 20 ms of delay; here it costs 30, since a
 * dropout also delays what comes after it.
 *
 * The constants were tuned by simulation on the arrival traces of benchmarks/playout/traces.py: wired, Wi-Fi and cellular networks.
 */
const STEP_S = 0.001; // width of a bucket
const MAX_TARGET_S = 0.4; // longer stalls are too rare to wait for; catching up afterwards is cheaper
const DROPOUT_COST = 30 * 2; // ms of delay per ms of dropout, at two entries per second
const DROPOUT_FIXED_S = 0.002; // added to every dropout, however short
const HALF_LIFE_ENTRIES = 80; // 40 s
const PRIOR_ENTRIES = 42; // on-time entries assumed at the start, so that one early stall does not dominate
const MIN_TARGET_S = 0.01;
const MARGIN_S = 0.001; // added to the chosen delay,
const FEW_ENTRIES_MARGIN_S = 0.01; // and this divided by the number of entries, since a few entries have not seen the worst

export class Depth {
  /** Seconds from the earliest possible arrival of a chunk's last sample to the playing of its first. */
  target = 0.03;
  /** Seconds added to the target because the sender's clock drifts. */
  slack = 0;
  #histogram = new Float64Array(Math.round(MAX_TARGET_S / STEP_S) + 1);
  #entries = 0; // faded
  #prior = PRIOR_ENTRIES;
  #open = -1; // bucket of the current entry

  /** Opens a new entry, on time so far. */
  begin() {
    const fade = 0.5 ** (1 / HALF_LIFE_ENTRIES);
    for (let k = 0; k < this.#histogram.length; k++) this.#histogram[k] *= fade;
    this.#prior *= fade;
    this.#entries = this.#entries * fade + 1;
    this.#open = 0;
    this.#histogram[0]++;
  }

  /** @param {number} lateness the entry's worst so far, in seconds after the earliest possible arrival */
  raise(lateness) {
    const bucket = Math.min(this.#histogram.length - 1, Math.floor(lateness / STEP_S));
    if (this.#open < 0 || bucket <= this.#open) return;
    this.#histogram[this.#open]--;
    this.#histogram[bucket]++;
    this.#open = bucket;
    this.#choose();
  }

  /** Removes the current entry. */
  retract() {
    if (this.#open < 0) return;
    this.#histogram[this.#open]--;
    this.#entries--;
    this.#open = -1;
    this.#choose();
  }

  #choose() {
    this.target = Math.max(MIN_TARGET_S, this.#cheapest() + MARGIN_S + FEW_ENTRIES_MARGIN_S / (this.#entries + 1) + this.slack);
  }

  #cheapest() {
    const histogram = this.#histogram;
    const dropoutCost = DROPOUT_COST / (this.#entries + this.#prior);
    let later = 0; // entries later than the delay
    let missed = 0; // seconds of dropout that they would cause
    let lowest = Infinity;
    let cheapest = 0;
    for (let k = histogram.length - 1; k >= 0; k--) {
      const delay = (k + 1) * STEP_S;
      const cost = delay + dropoutCost * (missed + DROPOUT_FIXED_S * later);
      if (cost <= lowest) {
        lowest = cost;
        cheapest = delay;
      }
      later += histogram[k];
      missed += later * STEP_S;
    }
    return cheapest;
  }
}
