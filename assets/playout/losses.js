/**
 * Measures how much of a live stream never came, where it may have been interrupted. A live stream's last sample arrives at a constant
 * distance from its place in the stream; if that distance has grown over an interruption, so much is missing.
 */
const DISTANCE_WINDOW_S = 1; // the distance is the smallest of one to two windows, since single frames come late
const SETTLED_S = 1; // after an interruption: by then a backlog has come, and some frames were on time

export class Losses {
  #opened = -Infinity;
  #best = Infinity; // of this window,
  #bestBefore = Infinity; // and of the one before
  #anchor = Infinity; // the distance before the interruption
  #resumedAt = Infinity;
  #open = false;

  /** The stream may have been interrupted since the last arrival. */
  interrupt() {
    if (!this.#open) this.#anchor = this.#distance;
    this.#open = true;
    this.#best = this.#bestBefore = this.#resumedAt = Infinity;
    this.#opened = -Infinity;
  }

  /**
   * Notes that everything up to the stream's second `last` has arrived.
   * @param {number} at seconds of the wall clock, which goes on while a computer sleeps
   * @param {number} last
   * @returns {number} seconds that an interruption turns out to have cost; 0 nearly always
   */
  add(at, last) {
    if (at - this.#opened >= DISTANCE_WINDOW_S) {
      this.#bestBefore = this.#best;
      this.#best = Infinity;
      this.#opened = at;
    }
    this.#best = Math.min(this.#best, at - last);
    if (!this.#open) return 0;
    if (this.#resumedAt === Infinity) this.#resumedAt = at;
    if (at - this.#resumedAt < SETTLED_S) return 0;
    this.#open = false;
    return this.#anchor < Infinity ? Math.max(0, this.#distance - this.#anchor) : 0;
  }

  get #distance() {
    return Math.min(this.#best, this.#bestBefore);
  }
}
