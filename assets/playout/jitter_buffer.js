import { TAPS } from "./resampler.js";
import { bytesPerFrame, MULAW } from "./stream_format.js";

const FIRST_ROOM = 2 ** 19; // samples: 10.9 s at 48 kHz
const MOST_ROOM = 2 ** 22; // 87 s at 48 kHz: a longer backlog is nobody's live call, and memory has an end

/**
 * Bytes in, samples out: a ring of two channels, the first the customer, the second the assistant. Samples are counted from the stream's
 * first, for ever. The ring's first TAPS are kept twice, behind the end too, so that a filter never has to wrap around.
 */
export class JitterBuffer {
  written = 0;
  customer = new Float32Array(FIRST_ROOM + TAPS);
  assistant = new Float32Array(FIRST_ROOM + TAPS);
  mask = FIRST_ROOM - 1;
  #carry = new Uint8Array(4);
  #carried = 0;

  /** Forgets the bytes of a sample that was cut off. */
  cut() {
    this.#carried = 0;
  }

  /**
   * Writes the samples in `bytes`, cut anywhere. Room must have been made.
   * @returns {number} how many
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
   * Makes room for so many more samples behind `oldest`, the first that is still needed.
   * @returns {number} how many of the oldest there is no room for
   */
  makeRoom(samples, oldest) {
    const needed = this.written + samples - oldest;
    let room = this.mask + 1;
    while (room < needed && room < MOST_ROOM) room *= 2;
    if (room > this.mask + 1) this.#move(room, Math.max(0, oldest));
    return Math.max(0, needed - room);
  }

  #move(room, oldest) {
    const { customer, assistant, mask, written } = this;
    this.customer = new Float32Array(room + TAPS);
    this.assistant = new Float32Array(room + TAPS);
    this.mask = room - 1;
    this.written = oldest;
    while (this.written < written) this.write(customer[this.written & mask], assistant[this.written & mask]);
  }

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
