import { LONGEST, likest, OVERLAP, quietFor, SHORTEST } from "./stretch.js";

const LATE = 0.012; // seconds behind the target from which it hurries
const EARLY = 0.012; // seconds before it from which it slows down
const THERE = 0.004; // and where either ends
const FASTER = 0.25;
const SLOWER = 0.4;
const SCANT = 0.2; // seconds buffered with which an overdue arrival is met slowly
const AMPLE = 0.2; // and with which it does not keep from hurrying
const LEAST_CREDIT = 0.009; // seconds to gain or lose, saved up before a place for it is looked for
const MOST_CREDIT = 0.05;
const ENOUGH_CREDIT = 0.012; // with which any place will do, or it would fall behind
const LOOK_AGAIN = 0.005;
const PATIENCE = 0.05; // seconds in which a place that suits well is looked for
const UNLIKE = 0.8; // of the longest lag, from which one is taken where none suits
const ALIKE = 0.9;
const PAUSE_LEAD = 0.06; // seconds of a pause that are left before a cut,
const PAUSE_TAIL = 0.06; // and after it
const PAUSE_LEAST = 0.02; // seconds for which a cut is worth it
const QUIET = 2.5; // times the line's own noise is a pause,
const QUIETEST = 0.0006; // which this (RMS) is in any case
const LOUDEST = 0.006; // and this is not
// the resampler alone steers near the target, at one pace for as long as that takes, since a pace that wavers is a tone that does
const TRIM = 0.001; // of the rate: nobody hears 1.7 cents
const MOST_TRIM = 0.002;
const MOST_OFF = 0.003; // with what the drift takes: a clock that is off by all of 0.2 % must not keep it from the target
const TRIM_LATE = 0.0015; // seconds off the target at which it begins
const TRIM_EARLY = 0.002;
const TRIM_MORE_LATE = 0.008; // at which it doubles,
const TRIM_MORE_EARLY = 0.004;
const TRIM_DONE = 0.0005; // and at which it ends
const DRIFTS = 1e-4; // of the rate: what a quartz may do is seen to by trimming now and then
const DRIFT_STEP = 3e-5;
const MOST_DRIFT = 0.002;

/** Seconds that will be played now, seconds farther behind than the target, and the drift of the sender's clock. */
export const SECONDS = 0;
export const EXCESS = 1;
export const DRIFT = 2;

/** How fast to play: a hair off the sender's clock near the target; by splices when far from it, and through pauses in leaps. */
export class Pace {
  /** What to steer by, at SECONDS, EXCESS and DRIFT. An array, since a number with a fraction that is passed on is allocated. */
  given = new Float64Array(3);
  /** Source samples that were left out of speech, and of pauses. */
  stretched = 0;
  cut = 0;
  #buffer;
  #head;
  #floor;
  #hurries = false;
  #slows = false;
  #credit = 0;
  #look = 0;
  #waited = 0;
  #drift = 0;
  #trimmed = 0;
  #found = new Float64Array(2);
  #threshold = new Float64Array(2);

  constructor(buffer, head, floor) {
    this.#buffer = buffer;
    this.#head = head;
    this.#floor = floor;
  }

  get hurries() {
    return this.#hurries;
  }

  /**
   * Sets the playhead's pace, and begins a splice where there is to be one.
   * @param {boolean} overdue whether an arrival is
   * @param {number} rate the source's, in Hz
   */
  steer(overdue, rate) {
    const seconds = this.given[SECONDS];
    const excess = this.given[EXCESS];
    const buffered = this.#head.left / rate;
    const scant = overdue && buffered < SCANT;
    this.#hurries = excess > (this.#hurries ? THERE : LATE) && !(overdue && buffered < AMPLE);
    const slows = !this.#hurries && (scant || excess < -(this.#slows ? THERE : EARLY));
    if (slows && !this.#slows) this.#credit = LEAST_CREDIT;
    this.#slows = slows;
    if (this.#hurries || slows) this.#credit = Math.min(MOST_CREDIT, this.#credit + (slows ? SLOWER : FASTER) * seconds);
    else this.#credit = 0;
    this.#look -= seconds;
    if (this.#credit > 0 && !this.#head.splicing && this.#look <= 0) {
      this.#look = LOOK_AGAIN;
      if (slows) this.#linger(scant, rate);
      else if (!this.#leap(rate)) this.#hasten(rate);
    }
    this.#follow();
    this.#trim();
    this.#head.pace = 1 + Math.max(-MOST_OFF, Math.min(MOST_OFF, this.#drift + this.#trimmed));
  }

  #follow() {
    const drift = this.given[DRIFT];
    if (Math.abs(drift) < DRIFTS) this.#drift = 0;
    else if (Math.abs(drift - this.#drift) > DRIFT_STEP) this.#drift = Math.max(-MOST_DRIFT, Math.min(MOST_DRIFT, drift));
  }

  #trim() {
    const excess = this.given[EXCESS];
    const off = Math.abs(excess);
    if (this.#hurries || off < TRIM_DONE || excess * this.#trimmed < 0) this.#trimmed = 0;
    else if (excess > TRIM_MORE_LATE || excess < -TRIM_MORE_EARLY) this.#trimmed = Math.sign(excess) * MOST_TRIM;
    else if (this.#trimmed === 0 && (excess > TRIM_LATE || excess < -TRIM_EARLY)) this.#trimmed = Math.sign(excess) * TRIM;
  }

  /** Cuts a pause of both speakers. */
  #leap(rate) {
    const excess = this.given[EXCESS];
    const lead = Math.round(PAUSE_LEAD * rate);
    const most = Math.min(this.#head.left, Math.round((excess + PAUSE_TAIL + OVERLAP) * rate));
    if (excess < 2 * PAUSE_LEAST || this.#head.past < lead || this.#quiet(this.#head.read - lead, lead, rate) < lead) return false;
    const lag = this.#quiet(this.#head.read, most, rate) - Math.round((PAUSE_TAIL + OVERLAP) * rate);
    if (lag < PAUSE_LEAST * rate) return false;
    this.#head.splice(lag, OVERLAP);
    this.cut += lag;
    return true;
  }

  #quiet(from, most, rate) {
    for (let who = 0; who < 2; who++) this.#threshold[who] = Math.min(LOUDEST, Math.max(QUIETEST, QUIET * this.#floor[who]));
    return quietFor(this.#buffer, from, most, rate, this.#threshold);
  }

  #hasten(rate) {
    if (this.#credit < LEAST_CREDIT) return;
    const room = this.#head.left / rate - OVERLAP - 0.001;
    const most = Math.min(LONGEST, this.given[EXCESS], room, this.#credit + 0.002);
    if (!this.#find(Math.floor(most * rate), 1, rate, PATIENCE)) return;
    this.#head.splice(this.#found[0], OVERLAP);
    this.stretched += this.#found[0] | 0;
    this.#credit -= this.#found[0] / rate;
  }

  #linger(scant, rate) {
    if (this.#credit < LEAST_CREDIT || this.#head.left < (OVERLAP + 0.001) * rate) return;
    const most = Math.min(LONGEST, scant ? LONGEST : -this.given[EXCESS], this.#head.past / rate, this.#credit + 0.004);
    if (!this.#find(Math.floor(most * rate), -1, rate, 0)) return;
    this.#head.splice(this.#found[0], OVERLAP);
    this.#credit += this.#found[0] / rate;
  }

  /** Whether a lag was found that suits, or one has to suit: then a long one, since a splice that is heard had better be rare. */
  #find(longest, way, rate, patience) {
    likest(this.#buffer, this.#head.read, rate, Math.ceil(SHORTEST * rate), longest, way, this.#found);
    if (this.#found[0] === 0) return false;
    this.#waited += LOOK_AGAIN;
    if (this.#found[1] < ALIKE) {
      if (this.#waited < patience && this.#credit < ENOUGH_CREDIT) return false;
      likest(this.#buffer, this.#head.read, rate, Math.ceil(UNLIKE * longest), longest, way, this.#found);
    }
    this.#waited = 0;
    return true;
  }
}
