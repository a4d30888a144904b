/**
 * When sound arrives against when it is due: the best that the way can do, how late the rest comes, and how the sender's clock drifts.
 *
 * Time is the output's own, counted in samples that were pulled, since that is the clock that a buffer runs dry by; so a drifting device
 * and a drifting sender are the same, and a wall clock may jump.
 */
const WINDOW = 0.5; // seconds in which all lateness is one event: a stall is one, however many frames it holds up
const REMEMBERED = 4; // windows in which the best is looked for
const FITTED = 128; // windows over which the drift is fitted
const STIFFNESS = 15; // s²: how long a fit has to be before it is believed; at 4.5 s it is by half
const USUAL = 0.015; // seconds above the best within which a window's best says something about the drift
const JUMP = 0.05; // seconds below the best that no clock drifts in a window: the output has lost time
const OVERDUE = 1; // times the longest silence of a calm window
const PAUSE = 0.2; // seconds without any sound, from which a sender that goes on as late as it comes has paused

export class Arrivals {
  /** Offset (seconds) of the best arrival from the time its sample has in the stream. */
  best = Infinity;
  /** How much faster the sender's clock is, as a part of 1. */
  drift = 0;
  /** Windows that were closed since the stream began. */
  events = 0;
  #depth;
  #times = new Float64Array(FITTED);
  #offsets = new Float64Array(FITTED);
  #count = 0;
  #driftBefore = 0;
  #opened = 0;
  #early = Infinity;
  #earlyAt = 0;
  #late = -Infinity;
  #paused = false;
  #came = -Infinity;
  #gap = 0;
  #gaps = new Float64Array(REMEMBERED);
  #calm = 0.02;

  /** @param {{begin(): void, raise(lateness: number): void, retract(): void, slack: number}} depth is told of each window's worst as it comes */
  constructor(depth) {
    this.#depth = depth;
  }

  /** The stream starts anew, or the output stood still: only the drift is still known. */
  reset() {
    this.#count = 0;
    this.#driftBefore = this.drift;
    this.best = this.#early = Infinity;
    this.#late = this.#came = -Infinity;
    this.events = 0;
    this.#gap = 0;
    this.#paused = false;
  }

  /** Sound of the stream's seconds `first` to `last` came at `now`. */
  add(now, first, last) {
    const silent = now - this.#came;
    if (this.#came === -Infinity) this.#opened = now;
    else if (now - this.#opened >= WINDOW) this.#close(now, silent > PAUSE);
    if (silent < Infinity && silent > this.#gap) this.#gap = silent;
    this.#came = now;
    if (now - first > this.#late) this.#late = now - first;
    if (now - last < this.#early) {
      this.#early = now - last;
      this.#earlyAt = now;
    }
    if (this.#early < this.best - JUMP && this.best < Infinity) this.#shift(this.#early - this.best);
    if (this.#early < this.best) this.best = this.#early;
    if (this.events > 0) this.#depth.raise(this.#late - this.best); // the first window may hold the burst with which a stream opens
  }

  /** Whether at `now` nothing has come for longer than in the calmest of the last windows. */
  overdue(now) {
    return now - this.#came > OVERDUE * this.#calm + 0.006;
  }

  #close(now, silent) {
    const { best } = this;
    if (this.#paused && this.#early > best + JUMP) {
      this.#depth.retract();
      this.reset();
      this.#opened = now;
      return;
    }
    this.events++;
    this.#gaps[this.events % REMEMBERED] = this.#gap;
    this.#calm = this.#gaps[1];
    for (let k = 2; k <= Math.min(REMEMBERED, this.events); k++) this.#calm = Math.min(this.#calm, this.#gaps[k % REMEMBERED]);
    const at = this.#count++ % FITTED;
    this.#times[at] = this.#earlyAt;
    this.#offsets[at] = this.#early;
    this.#fit();
    this.#depth.slack = Math.abs(this.drift) * 2 * WINDOW; // the best of a window is of some time in it, or in the one before
    this.best = Infinity;
    for (let k = 1; k <= Math.min(REMEMBERED, this.#count); k++) {
      const past = (this.#count - k) % FITTED;
      this.best = Math.min(this.best, this.#offsets[past] - this.drift * (now - this.#times[past]));
    }
    this.#opened = now;
    this.#early = Infinity;
    this.#late = -Infinity;
    this.#gap = 0;
    this.#paused = silent;
    this.#depth.begin();
  }

  /** A line through the windows' best, drawn to the drift that was known before as long as there are few. */
  #fit() {
    const n = Math.min(FITTED, this.#count);
    const newest = (this.#count - 1) % FITTED;
    let w = 0;
    let t = 0;
    let f = 0;
    for (let k = 0; k < n; k++) {
      if (!this.#tells(k, newest)) continue;
      w++;
      t += this.#times[k];
      f += this.#offsets[k];
    }
    if (w === 0) return;
    t /= w;
    f /= w;
    let xx = STIFFNESS;
    let xy = -STIFFNESS * this.#driftBefore;
    for (let k = 0; k < n; k++) {
      if (!this.#tells(k, newest)) continue;
      const x = this.#times[k] - t;
      xx += x * x;
      xy += x * (this.#offsets[k] - f);
    }
    this.drift = -xy / xx;
  }

  #tells(k, newest) {
    return this.#offsets[k] + this.drift * (this.#times[k] - this.#times[newest]) < this.best + USUAL;
  }

  #shift(by) {
    for (let k = 0; k < FITTED; k++) this.#offsets[k] += by;
    this.best += by;
  }
}
