/**
 * Compares when sound arrives with when it was produced: the earliest possible arrival, how late the rest comes, and how the sender's
 * clock drifts.
 *
 * Time is counted in output samples, because that is the clock by which a buffer runs dry. So a drifting sound card and a drifting sender
 * look the same, and jumps of the wall clock don't matter. The constants were tuned like those of depth.js.
 */
const WINDOW_S = 0.5; // all lateness in a window is one entry of the histogram: a stall is one, however many frames it delays
const BEST_WINDOWS = 4; // the earliest arrival is searched in this many windows
const FIT_WINDOWS = 128; // the drift is fitted over this many windows
const FIT_STIFFNESS_S2 = 15; // the prior's weight: a fit over 4.5 s is trusted by half
const USABLE_S = 0.015; // a window whose earliest arrival is later than this after the best says nothing about the drift
const JUMP_S = 0.05; // earlier than the best by more than this: no clock drifts so fast, so the output has lost time
const OVERDUE_MARGIN_S = 0.006;
const FIRST_CALM_S = 0.02; // a frame of Vapi's, until a window has been measured
const SLOWED = 0.3; // of a silence that is overdue: by so much the buffer lasts longer, since `Pace` slows down
const REGAINED = 0.25; // per second, since `Pace` catches up afterwards
const SENDER_PAUSE_S = 0.2; // silence after which a sender that resumes with a constant extra delay has paused, not stalled

export class Arrivals {
  /** Offset in seconds of the earliest arrival from its sample's time in the stream. */
  best = Infinity;
  /** How much faster the sender's clock runs, as a fraction. */
  drift = 0;
  /** Windows closed since the stream began. */
  windows = 0;
  #depth;
  #times = new Float64Array(FIT_WINDOWS);
  #offsets = new Float64Array(FIT_WINDOWS);
  #count = 0;
  #driftBefore = 0;
  #opened = 0;
  #earliest = Infinity;
  #earliestAt = 0;
  #latest = -Infinity;
  #slowed = 0; // seconds that slowing down has gained
  #paused = false;
  #lastAt = -Infinity;
  #gap = 0; // longest silence in this window
  #gaps = new Float64Array(BEST_WINDOWS);
  #calm = FIRST_CALM_S; // longest silence in the calmest of the last windows

  /** @param {import("./depth.js").Depth} depth gets each window's worst lateness as it comes */
  constructor(depth) {
    this.#depth = depth;
  }

  /** The stream starts again, or the output stood still: only the drift stays known. */
  reset() {
    this.#count = 0;
    this.#driftBefore = this.drift;
    this.best = this.#earliest = Infinity;
    this.#latest = this.#lastAt = -Infinity;
    this.#slowed = 0;
    this.windows = 0;
    this.#gap = 0;
    this.#paused = false;
  }

  /**
   * Notes that the stream's seconds `first` to `last` arrived at `now`.
   * @param {number} now
   * @param {number} first
   * @param {number} last
   */
  add(now, first, last) {
    const silence = now - this.#lastAt;
    if (this.#lastAt === -Infinity) this.#opened = now;
    else if (now - this.#opened >= WINDOW_S) this.#close(now, silence > SENDER_PAUSE_S);
    if (silence < Infinity && silence > this.#gap) this.#gap = silence;
    this.#lastAt = now;
    if (silence < Infinity) {
      const overdue = Math.max(0, silence - this.#calm - OVERDUE_MARGIN_S);
      this.#slowed = Math.max(0, this.#slowed - REGAINED * silence) + SLOWED * overdue;
    }
    if (now - first - this.#slowed > this.#latest) this.#latest = now - first - this.#slowed;
    if (now - last < this.#earliest) {
      this.#earliest = now - last;
      this.#earliestAt = now;
    }
    if (this.#earliest < this.best - JUMP_S && this.best < Infinity) this.#shift(this.#earliest - this.best);
    if (this.#earliest < this.best) this.best = this.#earliest;
    if (this.windows > 0) this.#depth.raise(this.#latest - this.best); // the first window may hold the burst that opens a stream
  }

  /**
   * True if nothing has arrived for longer than in the calmest of the last windows.
   * @param {number} now
   */
  overdue(now) {
    return now - this.#lastAt > this.#calm + OVERDUE_MARGIN_S;
  }

  /**
   * @param {number} now
   * @param {boolean} pauses the sender was silent before this arrival
   */
  #close(now, pauses) {
    const { best } = this;
    if (this.#paused && this.#earliest > best + JUMP_S) {
      this.#depth.retract();
      this.reset();
      this.#opened = now;
      return;
    }
    this.windows++;
    this.#gaps[this.windows % BEST_WINDOWS] = this.#gap;
    this.#calm = this.#gaps[1];
    for (let k = 2; k <= Math.min(BEST_WINDOWS, this.windows); k++) this.#calm = Math.min(this.#calm, this.#gaps[k % BEST_WINDOWS]);
    const at = this.#count++ % FIT_WINDOWS;
    this.#times[at] = this.#earliestAt;
    this.#offsets[at] = this.#earliest;
    this.#fit();
    this.#depth.slack = Math.abs(this.drift) * 2 * WINDOW_S; // the best arrival may be as old as two windows
    this.best = Infinity;
    for (let k = 1; k <= Math.min(BEST_WINDOWS, this.#count); k++) {
      const past = (this.#count - k) % FIT_WINDOWS;
      this.best = Math.min(this.best, this.#offsets[past] - this.drift * (now - this.#times[past]));
    }
    this.#opened = now;
    this.#earliest = Infinity;
    this.#latest = -Infinity;
    this.#gap = 0;
    this.#paused = pauses;
    this.#depth.begin();
  }

  /** Fits a line through the windows' earliest arrivals. While there are few, the drift known before dominates. */
  #fit() {
    const n = Math.min(FIT_WINDOWS, this.#count);
    const newest = (this.#count - 1) % FIT_WINDOWS;
    let used = 0;
    let meanTime = 0;
    let meanOffset = 0;
    for (let k = 0; k < n; k++) {
      if (!this.#usable(k, newest)) continue;
      used++;
      meanTime += this.#times[k];
      meanOffset += this.#offsets[k];
    }
    if (used === 0) return;
    meanTime /= used;
    meanOffset /= used;
    let xx = FIT_STIFFNESS_S2;
    let xy = -FIT_STIFFNESS_S2 * this.#driftBefore;
    for (let k = 0; k < n; k++) {
      if (!this.#usable(k, newest)) continue;
      const x = this.#times[k] - meanTime;
      xx += x * x;
      xy += x * (this.#offsets[k] - meanOffset);
    }
    this.drift = -xy / xx;
  }

  /**
   * @param {number} k
   * @param {number} newest
   */
  #usable(k, newest) {
    return this.#offsets[k] + this.drift * (this.#times[k] - this.#times[newest]) < this.best + USABLE_S;
  }

  /** @param {number} by seconds */
  #shift(by) {
    for (let k = 0; k < FIT_WINDOWS; k++) this.#offsets[k] += by;
    this.best += by;
  }
}
