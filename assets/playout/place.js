/**
 * Knows how many bytes of a relayed stream never came: the relay says at which byte a connection begins, and how many it dropped for a slow
 * listener. A stream that does not come from a relay has no such numbers.
 *
 * @typedef {import("./stream_format.js").StartFrame} StartFrame
 */
export class Place {
  /** @type {unknown} */
  #stream = null;
  #next = 0; // number of the byte that is expected

  /** True if the stream says all that is missing. */
  get known() {
    return this.#stream !== null;
  }

  /**
   * A connection begins with this frame.
   * @param {StartFrame} [start]
   * @returns {number|null} bytes that were missed since the connection before; null if that is not known
   */
  begin({ stream, position } = {}) {
    const at = typeof stream === "string" && Number.isSafeInteger(position) ? Number(position) : null;
    const missed = at !== null && stream === this.#stream ? Math.max(0, at - this.#next) : null;
    this.#stream = at === null ? null : stream;
    this.#next = at ?? 0;
    return missed;
  }

  /** @param {number} bytes that came, or that will not */
  pass(bytes) {
    this.#next += bytes;
  }
}
