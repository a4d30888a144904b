/**
 * One windowed-sinc filter that reads a stream between its samples: for the output's rate, and for a sender's clock that drifts.
 *
 * A chain of AudioBuffers leaves this to the browser, which draws straight lines between samples: 22 dB SINAD at 3 kHz where this has
 * over 80.
 */
export const TAPS = 32;
export const HALF = TAPS / 2;
const PHASES = 256; // a straight line between two phases errs by less than -100 dB

/** Zeroth-order modified Bessel function, for the Kaiser window. */
function bessel0(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/**
 * A low-pass as rows of TAPS coefficients, one row per phase, each summing to 1.
 * @param {number} cutoff as a part of the source's Nyquist frequency
 */
function lowPass(cutoff) {
  const rows = new Float32Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase++) {
    const row = Array.from({ length: TAPS }, (_, tap) => {
      const x = tap - (HALF - 1) - phase / PHASES;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      return sinc * bessel0(8.6 * Math.sqrt(Math.max(0, 1 - (x / HALF) ** 2)));
    });
    const sum = row.reduce((a, b) => a + b);
    row.forEach((value, tap) => (rows[phase * TAPS + tap] = value / sum));
  }
  return rows;
}

const RAISING = lowPass(0.97);

/** The filter for a source of this rate. It looks HALF samples ahead. */
export const kernelFor = (rate, outRate) => (rate > outRate ? lowPass((0.97 * outRate) / rate) : RAISING);

/** The coefficients for a place `frac` (0..1) behind a sample, into `row`. */
export function aim(kernel, frac, row) {
  const phase = frac * PHASES;
  const first = Math.floor(phase);
  const between = phase - first;
  for (let tap = 0, from = first * TAPS; tap < TAPS; tap++, from++) {
    row[tap] = kernel[from] + between * (kernel[from + TAPS] - kernel[from]);
  }
}

/** The filter's sums over both channels from index `from` on, into `sums`: a number with a fraction that is returned may be allocated. */
export function convolve(row, { customer, assistant }, from, sums) {
  let c = 0;
  let a = 0;
  for (let tap = 0; tap < TAPS; tap++) {
    c += row[tap] * customer[from + tap];
    a += row[tap] * assistant[from + tap];
  }
  sums[0] = c;
  sums[1] = a;
}
