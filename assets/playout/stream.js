/**
 * A stream in the buffer, from its bytes to the playhead. The format may change within the stream; what is buffered is still played in the
 * format in which it came.
 */
import { JitterBuffer } from "./jitter_buffer.js";
import { Playhead } from "./playhead.js";
import { HALF, kernelFor } from "./resampler.js";
import { bytesPerFrame, sameFormat, USUAL_FORMAT } from "./stream_format.js";

/** @typedef {import("./stream_format.js").Format} Format */

const ENOUGH_S = 0.01;

export class Stream {
  buffer = new JitterBuffer();
  head;
  format = USUAL_FORMAT;
  /** Rate in Hz of what is being played. */
  rate = USUAL_FORMAT.sampleRate;
  /** Source samples with which playing resumes. */
  enough = 0;
  ended = false;
  /** Source samples that were left out because nobody could hear them. */
  discarded = 0;
  #outRate;
  /** @type {{at: number, rate: number}[]} rates to come, and the source samples from which they apply */
  #changes = [];
  #padding = 0; // samples in the buffer that only the filter needs

  /** @param {number} outRate the output's rate in Hz */
  constructor(outRate) {
    this.#outRate = outRate;
    this.head = new Playhead(this.buffer, outRate);
    this.#play(this.rate);
  }

  /** Source samples that are still to be played. */
  get buffered() {
    return this.buffer.written - this.#padding - this.head.next;
  }

  get changesFormat() {
    return this.#changes.length > 0;
  }

  /**
   * @param {Uint8Array} bytes may begin and end within a sample
   * @returns {number} how many samples came
   */
  push(bytes) {
    this.#makeRoom(Math.ceil(bytes.length / bytesPerFrame(this.format)) + 1);
    const samples = this.buffer.push(bytes, this.format);
    this.#limit();
    return samples;
  }

  /**
   * Changes the format from the next sample on.
   * @param {Format} format
   * @param {boolean} playing
   */
  change(format, playing) {
    if (!sameFormat(format, this.format)) {
      this.buffer.dropPartial();
      this.#pad();
      this.#changes.push({ at: this.buffer.written, rate: format.sampleRate });
      if (!playing && this.head.left <= 0) this.follow();
    }
    this.format = format;
    this.#limit();
  }

  /** Nothing more will come. */
  end() {
    this.ended = true;
    this.#pad();
    this.#limit();
  }

  /** Continues with what came in the next format. */
  follow() {
    const change = this.#changes.shift();
    if (!change) return;
    this.#padding -= HALF;
    this.head.moveTo(change.at);
    this.#play(change.rate);
    this.#limit();
  }

  /** Moves the playhead to the very end. */
  finish() {
    this.head.moveTo(this.buffer.written - HALF);
  }

  /**
   * Leaves out so many of the next samples.
   * @param {number} samples
   */
  discard(samples) {
    let rest = samples;
    let read = this.head.next;
    while (this.#changes.length > 0 && read + rest > this.#changes[0].at - HALF) {
      const here = this.#changes[0].at - HALF - read;
      this.discarded += here;
      rest -= here;
      this.follow();
      read = this.head.read;
    }
    const count = Math.max(0, Math.min(rest, this.buffer.written - this.#padding - read));
    this.discarded += count;
    this.head.moveTo(read + count);
  }

  /**
   * Writes how many seconds are buffered. Into an array, because V8 allocates a fractional number that is returned.
   * @param {Float64Array} into
   * @param {number} index
   */
  measure(into, index) {
    let from = this.head.next;
    let rate = this.rate;
    let seconds = 0;
    for (let k = 0; k < this.#changes.length; k++) {
      seconds += (this.#changes[k].at - HALF - from) / rate;
      from = this.#changes[k].at;
      rate = this.#changes[k].rate;
    }
    into[index] = seconds + (this.buffer.written - (this.ended ? HALF : 0) - from) / rate;
  }

  /** Appends the samples that the filter reads ahead where a stream ends: backwards, as `Playhead` fades out, so that nothing steps. */
  #pad() {
    this.#makeRoom(HALF);
    const { customer, assistant, mask, written } = this.buffer;
    for (let k = 1; k <= HALF; k++) this.buffer.write(customer[(written - k) & mask], assistant[(written - k) & mask]);
    this.#padding += HALF;
  }

  #limit() {
    this.head.limit = this.#changes.length > 0 ? this.#changes[0].at : this.buffer.written;
  }

  /** @param {number} rate Hz */
  #play(rate) {
    this.rate = rate;
    this.head.playAt(rate / this.#outRate);
    this.enough = Math.round(ENOUGH_S * rate);
    this.head.kernel = kernelFor(rate, this.#outRate);
  }

  /** @param {number} samples */
  #makeRoom(samples) {
    const tooMany = this.buffer.makeRoom(samples, this.head.read - this.head.lookBack);
    if (tooMany > 0) this.discard(tooMany);
  }
}
