import { TAPS } from "./resampler.js";
import { bytesPerFrame, MULAW } from "./stream_format.js";

const FIRST_SIZE = 2 ** 19; // samples: 10.9 s at 48 kHz
const MAX_SIZE = 2 ** 22; // samples: 87 s at 48 kHz. A longer backlog is no live call any more, and memory is finite

/**
 * A ring buffer of two channels: bytes in, samples out. The first channel is the customer, the second the assistant.
 *
 * Samples are numbered from the stream's first; the number & `mask` is the index. The ring's first TAPS samples are repeated behind its
 * end, so that a filter never has to wrap around.
 */
export class JitterBuffer {
  /** Number of the sample that is written next. */
  written = 0;
  customer = new Float32Array(FIRST_SIZE + TAPS);
  assistant = new Float32Array(FIRST_SIZE + TAPS);
  mask = FIRST_SIZE - 1;
  #carry = new Uint8Array(4);
  #carried = 0;

  /** Drops the bytes of an incomplete sample. */
  dropPartial() {
    this.#carried = 0;
  }

  /**
   * Decodes and writes `bytes`, which may begin and end within a sample. Call `makeRoom` first.
   * @param {Uint8Array} bytes
   * @param {import("./stream_format.js").Format} format
   * @returns {number} how many samples were written
   */
  push(bytes, format) {
    const size = bytesPerFrame(format);
    const before = this.written;
    let next = 0;
    while (this.#carried > 0 && next < bytes.length) {
      this.#carry[this.#carried++] = bytes[next++];
      if (this.#carried === size) {
        this.#decode(this.#carry, 0, size, format);
        this.#carried = 0;
      }
    }
    const whole = bytes.length - ((bytes.length - next) % size);
    this.#decode(bytes, next, whole, format);
    for (next = whole; this.#carried < size && next < bytes.length; next++) this.#carry[this.#carried++] = bytes[next];
    return this.written - before;
  }

  /**
   * @param {number} customer -1..1
   * @param {number} assistant -1..1
   */
  write(customer, assistant) {
    const at = this.written++ & this.mask;
    this.customer[at] = customer;
    this.assistant[at] = assistant;
    if (at < TAPS) {
      this.customer[at + this.mask + 1] = customer;
      this.assistant[at + this.mask + 1] = assistant;
    }
  }

  /**
   * Makes room for so many more samples.
   * @param {number} samples
   * @param {number} oldest number of the first sample that is still needed
   * @returns {number} how many of the oldest samples will be overwritten, since the ring can't grow any more
   */
  makeRoom(samples, oldest) {
    const needed = this.written + samples - oldest;
    let size = this.mask + 1;
    while (size < needed && size < MAX_SIZE) size *= 2;
    if (size > this.mask + 1) this.#grow(size, Math.max(0, oldest));
    return Math.max(0, needed - size);
  }

  /**
   * @param {number} size samples
   * @param {number} oldest
   */
  #grow(size, oldest) {
    const { customer, assistant, mask, written } = this;
    this.customer = new Float32Array(size + TAPS);
    this.assistant = new Float32Array(size + TAPS);
    this.mask = size - 1;
    this.written = oldest;
    while (this.written < written) this.write(customer[this.written & mask], assistant[this.written & mask]);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} from
   * @param {number} to
   * @param {import("./stream_format.js").Format} format
   */
  #decode(bytes, from, to, { channels, encoding }) {
    const stereo = channels === 2;
    if (encoding === "mulaw") {
      for (let k = from; k < to; k += channels) this.write(MULAW[bytes[k]], MULAW[bytes[stereo ? k + 1 : k]]);
      return;
    }
    for (let k = from; k < to; k += 2 * channels) {
      const first = ((bytes[k] | (bytes[k + 1] << 8)) << 16) >> 16;
      const second = stereo ? ((bytes[k + 2] | (bytes[k + 3] << 8)) << 16) >> 16 : first;
      this.write(first / 32768, second / 32768);
    }
  }
}
