import { convolve, HALF, interpolate, TAPS } from "./resampler.js";

const FADE_S = 0.005; // wherever sound begins or breaks off: inaudible as a fade, and without a click
const LOOK_BACK_S = 0.09; // a pause is searched from 0.06 s before, and a lag reaches 0.01 s back; the rest is reserve

/**
 * The place in the buffer that is being played. It moves at its own pace, crossfades over splices, and fades where sound begins or ends.
 *
 * Where sound breaks off, the last samples are played backwards while they fade out. So no sample steps, and no sound has to be held back
 * for the fade. After a gap the last FADE_S are played again while they fade in.
 */
export class Playhead {
  /** Number of the source sample that is being played. */
  read = 0;
  /** Number of the first sample that must not be read: nothing is there yet, or another format begins. */
  limit = 0;
  /** Source samples per output sample at the normal pace; set by `playAt`. */
  step = 1;
  /** 1: normal; above 1: faster. */
  pace = 1;
  /** True once it has reached the limit and faded out. */
  dry = false;
  /** Output samples of the last `play` that came from the stream. */
  real = 0;
  /** Source samples that were passed. */
  passed = 0;
  /** Of these, samples that were passed for a second time. */
  repeated = 0;
  kernel = new Float32Array(0);
  #buffer;
  #frac = 0;
  #ramp; // gains of a fade
  #fade = 0; // index in it
  #fadeSource = 0; // source samples of a whole fade
  #begun = 0; // number of the sample with which uninterrupted playing began
  #backwards = false; // fading out
  #turnedAt = 0; // number of the sample where it turned backwards
  #lag = 0;
  #overlap = 0; // output samples of a crossfade that are still to come
  #overlapLength = 1;
  #row = new Float32Array(TAPS);
  #sums = new Float64Array(2);

  /**
   * @param {import("./jitter_buffer.js").JitterBuffer} buffer
   * @param {number} outRate the output's rate in Hz
   */
  constructor(buffer, outRate) {
    this.#buffer = buffer;
    const length = Math.round(FADE_S * outRate);
    this.#ramp = Float32Array.from({ length: length + 1 }, (_, k) => (1 - Math.cos((Math.PI * k) / length)) / 2);
  }

  /** Source samples that can be played before it runs dry; a splice must not reach further. */
  get left() {
    return this.limit - HALF - this.next;
  }

  /** Number of the source sample that is played next, once the current crossfade or fade is over. */
  get next() {
    if (this.#backwards) return this.#turnedAt;
    return this.#overlap > 0 && this.#lag > 0 ? this.read + this.#lag : this.read;
  }

  get splicing() {
    return this.#overlap > 0;
  }

  /** Source samples before `read` that may still be needed. */
  get lookBack() {
    return TAPS + Math.ceil(LOOK_BACK_S * this.step * (this.#ramp.length / FADE_S));
  }

  /** How many samples it can go back within what was played without interruption. */
  get past() {
    return this.read - this.#begun;
  }

  /** @param {number} step source samples per output sample at the normal pace */
  playAt(step) {
    this.step = step;
    this.#fadeSource = Math.ceil(this.#ramp.length * step);
  }

  begin() {
    this.dry = false;
    this.#fade = 0;
  }

  /** After a gap: goes back, so that what faded out is played once more. */
  goBack() {
    const again = Math.min(this.past, this.#fadeSource);
    this.read -= again;
    this.repeated += again;
  }

  /**
   * Continues at another sample, with a fade-in.
   * @param {number} sample
   */
  moveTo(sample) {
    this.read = this.#begun = sample;
    this.#backwards = false;
    this.#frac = this.#overlap = 0;
    this.begin();
  }

  /**
   * Crossfades to another place.
   * @param {number} lag samples; below 0: earlier
   * @param {number} seconds length of the crossfade
   */
  splice(lag, seconds) {
    this.#lag = lag | 0; // an integer for V8 too: else `read` would become a heap number, allocated at each step
    this.#overlap = this.#overlapLength = Math.max(1, Math.round((seconds * (this.#ramp.length - 1)) / FADE_S));
  }

  /**
   * Fills the arrays as far as there is sound.
   * @param {Float32Array} customer
   * @param {Float32Array} assistant
   * @param {Float32Array} missing per sample, how much of it the stream did not bring, 0..1
   * @returns {number} how many samples were filled
   */
  play(customer, assistant, missing) {
    const full = this.#ramp.length - 1;
    this.real = 0;
    if (this.#backwards && this.limit - HALF > this.#turnedAt) this.#turnBack();
    for (let k = 0; k < customer.length; k++) {
      if (!this.#backwards && this.left - this.#frac <= 0) this.#turn();
      if (!this.#backwards) this.#fade = Math.min(full, this.#fade + 1);
      else if (--this.#fade <= 0) {
        this.#breakOff();
        return k;
      }
      this.#render(k, customer, assistant);
      const gain = this.#ramp[this.#fade];
      customer[k] *= gain;
      assistant[k] *= gain;
      missing[k] = 1 - gain;
      this.#move();
    }
    return customer.length;
  }

  /**
   * Writes the customer's and the assistant's peak in the source of the next output samples.
   * @param {number} samples
   * @param {Float64Array} into
   */
  peaksAhead(samples, into) {
    const count = Math.ceil(samples * this.step) + 2;
    into[0] = into[1] = 0;
    this.#peaks(this.read, count, into);
    if (this.#overlap > 0) this.#peaks(this.read + this.#lag, count, into);
  }

  /**
   * @param {number} from
   * @param {number} count
   * @param {Float64Array} into
   */
  #peaks(from, count, into) {
    const { customer, assistant, mask } = this.#buffer;
    const end = Math.min(from + count, this.limit);
    for (let k = from; k < end; k++) {
      into[0] = Math.max(into[0], Math.abs(customer[k & mask]));
      into[1] = Math.max(into[1], Math.abs(assistant[k & mask]));
    }
  }

  /**
   * Computes output sample `k`.
   * @param {number} k
   * @param {Float32Array} customer
   * @param {Float32Array} assistant
   */
  #render(k, customer, assistant) {
    const { mask } = this.#buffer;
    const row = this.#row;
    const sums = this.#sums;
    interpolate(this.kernel, this.#frac, row);
    const from = (this.read - HALF + 1) & mask;
    convolve(row, this.#buffer, from, sums);
    customer[k] = sums[0];
    assistant[k] = sums[1];
    if (this.#overlap === 0) return;
    const over = 0.5 + 0.5 * Math.cos((Math.PI * this.#overlap) / this.#overlapLength);
    convolve(row, this.#buffer, (from + this.#lag) & mask, sums);
    customer[k] += over * (sums[0] - customer[k]);
    assistant[k] += over * (sums[1] - assistant[k]);
  }

  #move() {
    this.#frac += this.#backwards ? -this.step * this.pace : this.step * this.pace;
    const whole = Math.floor(this.#frac);
    this.#frac -= whole;
    this.read += whole;
    if (this.#backwards) return;
    this.real++;
    this.passed += whole;
    if (this.#overlap > 0 && --this.#overlap === 0) this.#land();
  }

  #land() {
    this.read += this.#lag;
    if (this.#lag < 0) this.repeated -= this.#lag;
    this.#overlap = 0;
  }

  #turn() {
    const beyond = this.read - (this.limit - HALF);
    this.read -= beyond;
    this.passed -= beyond;
    this.#turnedAt = this.read;
    this.#frac = 0;
    this.#backwards = true;
  }

  /** Sound came before the fade-out was over: plays forwards again, over what was just played backwards. */
  #turnBack() {
    this.repeated += this.#turnedAt - this.read;
    this.#backwards = false;
  }

  #breakOff() {
    this.read = this.#turnedAt;
    this.#frac = this.#fade = 0;
    this.#backwards = false;
    this.dry = true;
  }
}
