/**
 * How far behind the best arrival to play: where delay and dropouts together cost least, by what was seen of this way so far.
 *
 * A millisecond per second of dropout is taken to be as bad as 20 ms of delay. What is asked for is `target`, in seconds from the best
 * arrival of a stretch of sound's last sample to the playing of its first.
 */
const STEP = 0.001; // seconds
const DEEPEST = 0.4; // waiting ahead of longer stalls is worthless: they are rare, and catching up is what counts
const PRICE = 20 * 2; // two events a second
const NUISANCE = 0.003; // seconds of dropout as which the mere fact of one counts
const HALF_LIFE = 80; // events: 40 s
const UNSEEN = 20; // events that did not happen are assumed, lest one stall in the first seconds says it all
const LEAST = 0.01; // seconds
const MARGIN = 0.001; // seconds above what was seen,
const DOUBT = 0.02; // and this, over the number of events, since what was seen of few is not the worst

export class Depth {
  target = 0.03;
  /** Seconds on top, for what cannot be known exactly. */
  slack = 0;
  #events = new Float64Array(Math.round(DEEPEST / STEP) + 1);
  #seen = 0;
  #unseen = UNSEEN;
  #open = -1; // bucket of the event that goes on

  /** A new event begins; nothing is late in it yet. */
  begin() {
    const fade = 0.5 ** (1 / HALF_LIFE);
    for (let k = 0; k < this.#events.length; k++) this.#events[k] *= fade;
    this.#unseen *= fade;
    this.#seen = this.#seen * fade + 1;
    this.#open = 0;
    this.#events[0]++;
  }

  /** @param {number} lateness of the event's worst so far, in seconds above the best */
  raise(lateness) {
    const bucket = Math.min(this.#events.length - 1, Math.floor(lateness / STEP));
    if (this.#open < 0 || bucket <= this.#open) return;
    this.#events[this.#open]--;
    this.#events[bucket]++;
    this.#open = bucket;
    this.#choose();
  }

  /** It was no event after all. */
  retract() {
    if (this.#open < 0) return;
    this.#events[this.#open]--;
    this.#seen--;
    this.#open = -1;
    this.#choose();
  }

  #choose() {
    this.target = Math.max(LEAST, this.#cheapest() + MARGIN + DOUBT / (this.#seen + 1) + this.slack);
  }

  #cheapest() {
    const events = this.#events;
    const price = PRICE / (this.#seen + this.#unseen);
    let later = 0;
    let missed = 0;
    let least = Infinity;
    let best = 0;
    for (let k = events.length - 1; k >= 0; k--) {
      const depth = (k + 1) * STEP;
      const cost = depth + price * (missed + NUISANCE * later);
      if (cost <= least) {
        least = cost;
        best = depth;
      }
      later += events[k];
      missed += later * STEP;
    }
    return best;
  }
}
