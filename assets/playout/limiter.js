/**
 * Keeps one ear's sound below a ceiling without delaying it. The look-ahead comes from the buffer: before each stretch of samples is over,
 * the peak of the next one is known, and the gain is lowered in time for it. What that estimate missed is clipped.
 */
export const CEILING = 10 ** (-1 / 20); // -1 dBFS
const RELEASE_S = 0.1;
const OVERSHOOT = 1.12; // 1 dB: between two samples a resampled wave may be higher than both
const ACTS = 0.989; // -0.1 dB: less is not counted

export class Limiter {
  /** Samples that were played with a lowered gain. */
  limited = 0;
  #gain = new Float64Array([1]);
  #rate;

  /** @param {number} rate Hz */
  constructor(rate) {
    this.#rate = rate;
  }

  /**
   * @param {Float32Array} samples changed in place
   * @param {Float64Array} ahead
   * @param {number} index in `ahead`, of the largest value that may come in the next samples
   */
  limit(samples, ahead, index) {
    const ceiling = CEILING;
    const length = samples.length;
    let peak = OVERSHOOT * ahead[index];
    for (let k = 0; k < length; k++) peak = Math.max(peak, Math.abs(samples[k]));
    let gain = this.#gain[0];
    const released = gain + (1 - gain) * Math.min(1, length / (RELEASE_S * this.#rate));
    const goal = peak * released > ceiling ? ceiling / peak : released > 0.9999 ? 1 : released;
    if (gain === 1 && goal === 1) return;
    const step = (goal - gain) / length;
    for (let k = 0; k < length; k++) {
      gain += step;
      samples[k] = Math.max(-ceiling, Math.min(ceiling, samples[k] * gain));
    }
    if (goal < ACTS) this.limited += length;
    this.#gain[0] = goal;
  }
}
