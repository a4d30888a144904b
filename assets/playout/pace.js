import { findLag, MAX_LAG_S, MIN_LAG_S, OVERLAP_S, quietFor } from "./stretch.js";

// Tuned like depth.js, by simulation on the arrival traces of benchmarks/playout/traces.py.
const LATE_S = 0.012; // behind the target: starts to accelerate
const EARLY_S = 0.012; // ahead of it: starts to decelerate
const ON_TARGET_S = 0.004; // either ends
const ACCELERATION = 0.25; // seconds gained per second
const DECELERATION = 0.4; // seconds lost per second
const SCANT_S = 0.2; // if less than this is buffered and an arrival is overdue: decelerates
const MIN_CREDIT_S = 0.009; // time to gain or lose that is saved up before a place for a splice is searched
const MAX_CREDIT_S = 0.05;
const ENOUGH_CREDIT_S = 0.012; // with this any place will do, or it would fall behind
const SEARCH_EVERY_S = 0.005;
const PATIENCE_S = 0.05; // how long it waits for a good place
const GOOD_SIMILARITY = 0.9;
const BAD_SPLICE_MIN_LAG = 0.8; // of the longest lag: long lags make bad splices rare
const PAUSE_LEAD_S = 0.06; // left of a pause before a cut,
const PAUSE_TAIL_S = 0.06; // and after it
const MIN_CUT_S = 0.02;
const QUIET_OVER_FLOOR = 2.5; // a pause is quieter than this times the noise floor;
const ALWAYS_QUIET_RMS = 0.0006; // this is a pause in any case,
const NEVER_QUIET_RMS = 0.006; // and this is none
// Near the target only the resampler steers, at one rate for as long as it takes: a changing rate makes a tone waver audibly.
const TRIM = 0.001; // of the rate: 1.7 cents, inaudible
const MAX_TRIM = 0.002;
const MAX_RATE_CHANGE = 0.003; // trim and drift together: a clock that is off by 0.2 % must leave room for the trim
const TRIM_LATE_S = 0.0008; // off the target: starts to trim
const TRIM_EARLY_S = 0.002;
const TRIM_MORE_LATE_S = 0.008; // doubles the trim
const TRIM_MORE_EARLY_S = 0.004;
const TRIM_DONE_S = 0.0005; // ends it
const MIN_DRIFT = 1e-4; // of the rate: two quartzes may differ by less, which an occasional trim corrects
const DRIFT_STEP = 3e-5;
const MAX_DRIFT = 0.002;

// Indices in `Pace.inputs`
export const SECONDS = 0; // that will be played now
export const EXCESS = 1; // seconds behind the target
export const DRIFT = 2; // of the sender's clock, as a fraction

/** Decides how fast to play. Near the target it trims the rate inaudibly; far from it, it splices speech and cuts pauses. */
export class Pace {
  /** What `steer` works from. An array, because V8 allocates a fractional number that is passed as an argument. */
  inputs = new Float64Array(3);
  /** Source samples that were left out of speech. */
  stretched = 0;
  /** Source samples that were left out of pauses. */
  cut = 0;
  #buffer;
  #head;
  #floor;
  #accelerating = false;
  #decelerating = false;
  #credit = 0; // seconds
  #untilSearch = 0; // seconds
  #waited = 0; // seconds
  #drift = 0;
  #trimmed = 0;
  #found = new Float64Array(2);
  #threshold = new Float64Array(2);

  /**
   * @param {import("./jitter_buffer.js").JitterBuffer} buffer
   * @param {import("./playhead.js").Playhead} head
   * @param {Float64Array} floor RMS of the customer's and of the assistant's background noise
   */
  constructor(buffer, head, floor) {
    this.#buffer = buffer;
    this.#head = head;
    this.#floor = floor;
  }

  get accelerating() {
    return this.#accelerating;
  }

  /**
   * Sets the playhead's pace, and starts a splice if one is due.
   * @param {boolean} overdue an arrival is overdue
   * @param {number} rate the source's, in Hz
   */
  steer(overdue, rate) {
    const seconds = this.inputs[SECONDS];
    const excess = this.inputs[EXCESS];
    const accelerated = this.#accelerating;
    const scant = overdue && this.#head.left / rate < SCANT_S;
    this.#accelerating = excess > (this.#accelerating ? ON_TARGET_S : LATE_S) && !scant;
    const decelerates = !this.#accelerating && (scant || excess < -(this.#decelerating ? ON_TARGET_S : EARLY_S));
    if (decelerates && !this.#decelerating) this.#credit = MIN_CREDIT_S;
    if (this.#accelerating && !accelerated) this.#credit = 0; // what was saved up to decelerate
    this.#decelerating = decelerates;
    if (this.#accelerating) this.#credit = Math.min(MAX_CREDIT_S, this.#credit + ACCELERATION * seconds);
    else if (decelerates) this.#credit = Math.min(MAX_CREDIT_S, this.#credit + DECELERATION * seconds);
    else this.#credit = 0;
    this.#untilSearch -= seconds;
    if (this.#credit > 0 && !this.#head.splicing && this.#untilSearch <= 0) {
      this.#untilSearch = SEARCH_EVERY_S;
      if (decelerates) this.#decelerate(scant, rate);
      else if (!this.#cutPause(rate)) this.#accelerate(rate);
    }
    this.#followDrift();
    this.#trim();
    this.#head.pace = 1 + Math.max(-MAX_RATE_CHANGE, Math.min(MAX_RATE_CHANGE, this.#drift + this.#trimmed));
  }

  #followDrift() {
    const drift = this.inputs[DRIFT];
    if (Math.abs(drift) < MIN_DRIFT) this.#drift = 0;
    else if (Math.abs(drift - this.#drift) > DRIFT_STEP) this.#drift = Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, drift));
  }

  #trim() {
    const excess = this.inputs[EXCESS];
    if (this.#accelerating || Math.abs(excess) < TRIM_DONE_S || excess * this.#trimmed < 0) this.#trimmed = 0;
    else if (excess > TRIM_MORE_LATE_S || excess < -TRIM_MORE_EARLY_S) this.#trimmed = Math.sign(excess) * MAX_TRIM;
    else if (this.#trimmed === 0 && (excess > TRIM_LATE_S || excess < -TRIM_EARLY_S)) this.#trimmed = Math.sign(excess) * TRIM;
  }

  /**
   * Cuts a part out of a pause of both speakers, if this is one.
   * @param {number} rate Hz
   */
  #cutPause(rate) {
    const excess = this.inputs[EXCESS];
    const lead = Math.round(PAUSE_LEAD_S * rate);
    const most = Math.min(this.#head.left, Math.round((excess + PAUSE_TAIL_S + OVERLAP_S) * rate));
    if (excess < 2 * MIN_CUT_S || this.#head.past < lead || this.#quietFor(this.#head.read - lead, lead, rate) < lead) return false;
    const lag = this.#quietFor(this.#head.read, most, rate) - Math.round((PAUSE_TAIL_S + OVERLAP_S) * rate);
    if (lag < MIN_CUT_S * rate) return false;
    this.#head.splice(lag, OVERLAP_S);
    this.cut += lag;
    return true;
  }

  /**
   * @param {number} from
   * @param {number} most
   * @param {number} rate Hz
   */
  #quietFor(from, most, rate) {
    for (let speaker = 0; speaker < 2; speaker++) {
      this.#threshold[speaker] = Math.min(NEVER_QUIET_RMS, Math.max(ALWAYS_QUIET_RMS, QUIET_OVER_FLOOR * this.#floor[speaker]));
    }
    return quietFor(this.#buffer, from, most, rate, this.#threshold);
  }

  /**
   * Splices to a later place.
   * @param {number} rate Hz
   */
  #accelerate(rate) {
    if (this.#credit < MIN_CREDIT_S) return;
    const room = this.#head.left / rate - OVERLAP_S - 0.001;
    const most = Math.min(MAX_LAG_S, this.inputs[EXCESS], room, this.#credit + 0.002);
    if (!this.#find(Math.floor(most * rate), 1, rate, PATIENCE_S)) return;
    this.#head.splice(this.#found[0], OVERLAP_S);
    this.stretched += this.#found[0] | 0;
    this.#credit -= this.#found[0] / rate;
  }

  /**
   * Splices to an earlier place.
   * @param {boolean} scant too little is buffered
   * @param {number} rate Hz
   */
  #decelerate(scant, rate) {
    if (this.#credit < MIN_CREDIT_S || this.#head.left < (OVERLAP_S + 0.001) * rate) return;
    const most = Math.min(MAX_LAG_S, scant ? MAX_LAG_S : -this.inputs[EXCESS], this.#head.past / rate, this.#credit + 0.004);
    if (!this.#find(Math.floor(most * rate), -1, rate, 0)) return;
    this.#head.splice(this.#found[0], OVERLAP_S);
    this.#credit += this.#found[0] / rate;
  }

  /**
   * Searches a lag for a splice. After `patience`, or with enough credit, it takes the best of the long lags even if that is not good.
   * @param {number} longest samples
   * @param {1|-1} direction 1: later, -1: earlier
   * @param {number} rate Hz
   * @param {number} patience seconds
   * @returns {boolean} true if a lag is in `#found`
   */
  #find(longest, direction, rate, patience) {
    findLag(this.#buffer, this.#head.read, rate, Math.ceil(MIN_LAG_S * rate), longest, direction, this.#found);
    if (this.#found[0] === 0) return false;
    this.#waited += SEARCH_EVERY_S;
    if (this.#found[1] < GOOD_SIMILARITY) {
      if (this.#waited < patience && this.#credit < ENOUGH_CREDIT_S) return false;
      findLag(this.#buffer, this.#head.read, rate, Math.ceil(BAD_SPLICE_MIN_LAG * longest), longest, direction, this.#found);
    }
    this.#waited = 0;
    return true;
  }
}
