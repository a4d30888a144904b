/** Mixes two speakers into two ears: comfort noise, levels, gains, dither, and a limiter. */
import { AutoGain } from "./auto_gain.js";
import { Limiter } from "./limiter.js";

const GAIN_RAMP_S = 0.02; // from silent to full when a gain changes: short, but without a click
const FLOOR_BLOCK_S = 0.02; // the noise floor is measured in blocks of this
const FLOOR_RISE = 1.003; // per block: 6 dB in 5 s, so that the floor is the quietest block of the last seconds
const MAX_COMFORT_RMS = 0.002; // -54 dBFS: comfort noise must not sound like something said
const SMOOTHING = 0.25; // weight of each new sample in the comfort noise: a telephone line's noise is dull
const SMOOTHING_GAIN = Math.sqrt((3 * (2 - SMOOTHING)) / SMOOTHING); // gives smoothed noise of -1..1 an RMS of 1
export const DITHER = 1.25e-5; // about -103 dBFS RMS: Chromium pauses the sink after 30 s of exact zeros, and may never resume it

/** @typedef {"customer"|"assistant"} Speaker */

export class Mixer {
  /** RMS of each speaker's background noise; -1 while it is not known. */
  floor = new Float64Array([-1, -1]);
  autoGain;
  #limiters;
  #gains = { customer: 1, assistant: 1 };
  #spread = true;
  #mix = new Float64Array([1, 0, 0, 1]); // customer left, customer right, assistant left, assistant right
  #goal = new Float64Array([1, 0, 0, 1]);
  #maxStep;
  #level = new Float64Array(5); // customer's peak and sum of squares, the assistant's, samples
  #block = new Float64Array(3); // customer's sum of squares, the assistant's, samples: for the floor
  #blockLength;
  #dither;
  #noise = 1;
  #comfort = 0;

  /**
   * @param {number} rate the output's rate in Hz
   * @param {number} dither amplitude, 0..1
   */
  constructor(rate, dither) {
    this.#maxStep = 1 / (GAIN_RAMP_S * rate);
    this.#blockLength = FLOOR_BLOCK_S * rate;
    this.#dither = dither;
    this.autoGain = { customer: new AutoGain(rate), assistant: new AutoGain(rate) };
    this.#limiters = [new Limiter(rate), new Limiter(rate)];
  }

  /** Output samples in which the limiter lowered an ear. */
  get limited() {
    return this.#limiters[0].limited + this.#limiters[1].limited;
  }

  /** @param {boolean} on both speakers are brought to one loudness; else each is as loud as the call sends it */
  setAutoGain(on) {
    this.autoGain.customer.on = this.autoGain.assistant.on = Boolean(on);
  }

  /**
   * @param {Speaker} speaker
   * @param {number} gain 0..1
   */
  setGain(speaker, gain) {
    this.#gains[speaker] = Math.min(1, Math.max(0, Number(gain) || 0));
    this.#aim();
  }

  /** @param {boolean} on the customer left and the assistant right; else both in both ears */
  setSpread(on) {
    this.#spread = Boolean(on);
    this.#aim();
  }

  /**
   * Adds comfort noise at the level of the line's own noise.
   * @param {Float32Array} customer
   * @param {Float32Array} assistant
   * @param {Float32Array} missing per sample, how much of it the stream did not bring, 0..1
   */
  comfort(customer, assistant, missing) {
    const c = SMOOTHING_GAIN * Math.max(0, Math.min(this.floor[0], MAX_COMFORT_RMS));
    const a = SMOOTHING_GAIN * Math.max(0, Math.min(this.floor[1], MAX_COMFORT_RMS));
    for (let k = 0; k < customer.length; k++) {
      this.#comfort += SMOOTHING * (this.#random() - this.#comfort);
      customer[k] += c * missing[k] * this.#comfort;
      assistant[k] += a * missing[k] * this.#comfort;
    }
  }

  /**
   * Measures levels, before any gain.
   * @param {Float32Array} customer
   * @param {Float32Array} assistant
   * @param {boolean} whole all of it came from the stream, and nothing of it is faded
   */
  measure(customer, assistant, whole) {
    const level = this.#level;
    let squaresC = 0;
    let squaresA = 0;
    for (let k = 0; k < customer.length; k++) {
      const c = Math.abs(customer[k]);
      const a = Math.abs(assistant[k]);
      if (c > level[0]) level[0] = c;
      if (a > level[2]) level[2] = a;
      squaresC += c * c;
      squaresA += a * a;
    }
    level[1] += squaresC;
    level[3] += squaresA;
    level[4] += customer.length;
    if (!whole) return;
    this.autoGain.customer.listen(customer);
    this.autoGain.assistant.listen(assistant);
    this.#block[0] += squaresC;
    this.#block[1] += squaresA;
    this.#block[2] += customer.length;
    if (this.#block[2] >= this.#blockLength) this.#updateFloor();
  }

  #updateFloor() {
    const block = this.#block;
    for (let speaker = 0; speaker < 2; speaker++) {
      const rms = Math.sqrt(block[speaker] / block[2]);
      const raised = Math.max(1e-6, this.floor[speaker] * FLOOR_RISE);
      this.floor[speaker] = this.floor[speaker] < 0 ? rms : Math.min(raised, rms);
    }
    block.fill(0);
  }

  /**
   * Writes peak and RMS since the last call.
   * @param {Float32Array} into customer's peak, customer's RMS, assistant's peak, assistant's RMS
   */
  takeLevels(into) {
    const level = this.#level;
    const samples = Math.max(1, level[4]);
    into[0] = level[0];
    into[1] = Math.sqrt(level[1] / samples);
    into[2] = level[2];
    into[3] = Math.sqrt(level[3] / samples);
    level.fill(0);
  }

  /**
   * Turns the customer's and the assistant's samples into the left and the right ear's, in place.
   * @param {Float32Array} left the customer's samples before
   * @param {Float32Array} right the assistant's samples before
   * @param {Float64Array} ahead the customer's and the assistant's peak in the samples after these
   */
  blend(left, right, ahead) {
    this.autoGain.customer.apply(left);
    this.autoGain.assistant.apply(right);
    const mix = this.#mix;
    const goal = this.#goal;
    const maxStep = this.#maxStep;
    for (let k = 0; k < left.length; k++) {
      for (let m = 0; m < 4; m++) {
        mix[m] += Math.max(-maxStep, Math.min(maxStep, goal[m] - mix[m]));
      }
      const customer = left[k];
      const assistant = right[k];
      const dither = this.#random() * this.#dither;
      left[k] = customer * mix[0] + assistant * mix[2] + dither;
      right[k] = customer * mix[1] + assistant * mix[3] + dither;
    }
    this.#bound(ahead);
    this.#limiters[0].limit(left, ahead, 0);
    this.#limiters[1].limit(right, ahead, 1);
  }

  /**
   * Turns peaks of the two speakers into the highest that each ear may get of them.
   * @param {Float64Array} peaks
   */
  #bound(peaks) {
    const mix = this.#mix;
    const goal = this.#goal;
    const customer = peaks[0] * this.autoGain.customer.factor;
    const assistant = peaks[1] * this.autoGain.assistant.factor;
    peaks[0] = customer * Math.max(mix[0], goal[0]) + assistant * Math.max(mix[2], goal[2]);
    peaks[1] = customer * Math.max(mix[1], goal[1]) + assistant * Math.max(mix[3], goal[3]);
  }

  /** White noise, -1..1: the linear congruential generator of Numerical Recipes. */
  #random() {
    this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) | 0;
    return this.#noise / 2147483648;
  }

  #aim() {
    const { customer, assistant } = this.#gains;
    const [own, other] = this.#spread ? [1, 0] : [Math.SQRT1_2, Math.SQRT1_2]; // one voice in both ears is 3 dB louder
    this.#goal.set([customer * own, customer * other, assistant * other, assistant * own]);
  }
}
