/**
 * Recognizes a stream's format by its byte rate, and by how similar neighbouring 16-bit words are.
 *
 * @typedef {import("./stream_format.js").Format} Format
 * @typedef {[sampleRate: number, channels: 1|2, encoding: "s16le"|"mulaw"]} Candidate
 */

/**
 * Bytes per second and the formats that have this rate. If there are two, the second is meant when neighbouring words are unrelated: two
 * speakers' alternating samples are, one speaker's are not.
 * @type {[number, Candidate, Candidate?][]}
 */
const BYTE_RATES = [
  [8000, [8000, 1, "mulaw"]],
  [16000, [8000, 1, "s16le"], [8000, 2, "mulaw"]],
  [32000, [16000, 1, "s16le"], [8000, 2, "s16le"]],
  [48000, [24000, 1, "s16le"]],
  [64000, [16000, 2, "s16le"]],
  [88200, [44100, 1, "s16le"]],
  [96000, [48000, 1, "s16le"], [24000, 2, "s16le"]],
  [176400, [44100, 2, "s16le"]],
  [192000, [48000, 2, "s16le"]],
];
const RATE_TOLERANCE = 0.04; // half of the smallest distance between two of these rates
const SIMILAR_WORDS = 0.5; // correlation: speech at 8 kHz has 0.7 and more, two speakers' alternating words have about 0
const SKIPPED_S = 0.5; // a stream may open with a burst
const METER_WINDOW_S = 1.5;

/** Two windows in a row have to agree, since one may hold the backlog of a stall. */
export class FormatMeter {
  /** @type {number|null} */
  #opened = null;
  /** @type {number|null} */
  #windowFrom = null;
  #bytes = 0;
  /** @type {Candidate|null} */
  #before = null;
  #low = 0; // first byte of a word that was cut
  #cut = false;
  #last = 0;
  #power = 0;
  #product = 0;

  /**
   * @param {Uint8Array} bytes
   * @param {number} at when they arrived, in seconds of any steady clock
   * @returns {Format|null} the format, once it is known
   */
  add(bytes, at) {
    this.#compare(bytes);
    this.#opened ??= at;
    if (at - this.#opened < SKIPPED_S) return null;
    if (this.#windowFrom === null) {
      this.#windowFrom = at;
      return null;
    }
    this.#bytes += bytes.length;
    const seconds = at - this.#windowFrom;
    if (seconds < METER_WINDOW_S) return null;
    const found = this.#recognize(this.#bytes / seconds);
    const agreed = found !== null && found === this.#before;
    [this.#windowFrom, this.#bytes, this.#before] = [at, 0, found];
    return agreed ? { sampleRate: found[0], channels: found[1], encoding: found[2], ground: "measured" } : null;
  }

  /**
   * @param {number} byteRate
   * @returns {Candidate|null}
   */
  #recognize(byteRate) {
    const row = BYTE_RATES.find(([usual]) => Math.abs(byteRate / usual - 1) < RATE_TOLERANCE);
    if (!row) return null;
    const [, one, other] = row;
    if (!other) return one;
    if (this.#power === 0) return null; // silence is similar in both
    return this.#product > SIMILAR_WORDS * this.#power ? one : other;
  }

  /** @param {Uint8Array} bytes */
  #compare(bytes) {
    for (let k = 0; k < bytes.length; k++) {
      if (this.#cut) {
        const word = ((this.#low | (bytes[k] << 8)) << 16) >> 16;
        this.#power += word * word;
        this.#product += word * this.#last;
        this.#last = word;
      } else {
        this.#low = bytes[k];
      }
      this.#cut = !this.#cut;
    }
  }
}
