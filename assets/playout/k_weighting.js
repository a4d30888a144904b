/**
 * K-weighting of ITU-R BS.1770, the filter before every loudness of EBU R128: a shelf that raises what a head raises, then a high-pass.
 * Computed from the analogue prototypes, because the standard's coefficients are for 48 kHz only.
 */
const SHELF_HZ = 1681.97445;
const SHELF_GAIN_DB = 3.99984385;
const SHELF_Q = 0.70717524;
const HIGH_PASS_HZ = 38.1354709;
const HIGH_PASS_Q = 0.50032704;

/** @param {number} rate Hz */
function shelf(rate) {
  const k = Math.tan((Math.PI * SHELF_HZ) / rate);
  const high = 10 ** (SHELF_GAIN_DB / 20);
  const band = high ** 0.49966677;
  const a0 = 1 + k / SHELF_Q + k * k;
  const b = [high + (band * k) / SHELF_Q + k * k, 2 * (k * k - high), high - (band * k) / SHELF_Q + k * k];
  return [...b, 2 * (k * k - 1), 1 - k / SHELF_Q + k * k].map((value) => value / a0);
}

/** @param {number} rate Hz */
function highPass(rate) {
  const k = Math.tan((Math.PI * HIGH_PASS_HZ) / rate);
  const a0 = 1 + k / HIGH_PASS_Q + k * k;
  return [1, -2, 1, (2 * (k * k - 1)) / a0, (1 - k / HIGH_PASS_Q + k * k) / a0];
}

export class KWeighting {
  /** Sum of the squares of all weighted samples since it was set to 0. An array, because V8 allocates fractional numbers in fields. */
  energy = new Float64Array(1);
  #shelf;
  #highPass;
  #state = new Float64Array(4);

  /** @param {number} rate Hz */
  constructor(rate) {
    this.#shelf = Float64Array.from(shelf(rate));
    this.#highPass = Float64Array.from(highPass(rate));
  }

  /**
   * Adds the energy of these samples.
   * @param {Float32Array} samples
   */
  add(samples) {
    const s = this.#shelf;
    const h = this.#highPass;
    const state = this.#state;
    let sum = 0;
    for (let k = 0; k < samples.length; k++) {
      const x = samples[k];
      const y = s[0] * x + state[0];
      state[0] = s[1] * x - s[3] * y + state[1];
      state[1] = s[2] * x - s[4] * y;
      const z = h[0] * y + state[2];
      state[2] = h[1] * y - h[3] * z + state[3];
      state[3] = h[2] * y - h[4] * z;
      sum += z * z;
    }
    this.energy[0] += sum;
  }
}
