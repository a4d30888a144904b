/**
 * Finds where a stream can be left and entered again a little later or earlier, so that it takes less or more time at the same pitch; and
 * where nobody speaks. Both channels are judged together and spliced at the same place, so that they stay in step.
 */
export const OVERLAP_S = 0.005; // crossfade
export const MIN_LAG_S = 0.0025; // one pitch period of a high voice, 400 Hz
export const MAX_LAG_S = 0.0098; // of a low one, 102 Hz. With the crossfade on either side a listener misses less than 20 ms
const COARSE_HZ = 16000; // lags are compared at about this rate first
const QUIET_BLOCK_S = 0.005;
const SILENCE_ENERGY = 2e-6; // sum of the squares at both places: about -63 dBFS RMS in each channel

/** @typedef {import("./jitter_buffer.js").JitterBuffer} JitterBuffer */

/**
 * Finds the lag at which the sound from `read` on resembles itself most.
 * @param {JitterBuffer} buffer
 * @param {number} read
 * @param {number} rate Hz
 * @param {number} shortest samples
 * @param {number} longest samples
 * @param {1|-1} direction 1: later, -1: earlier
 * @param {Float64Array} found the lag in samples, below 0 if earlier, and the similarity: 1 the same, 0 unrelated
 */
export function findLag(buffer, read, rate, shortest, longest, direction, found) {
  const stride = Math.max(1, Math.round(rate / COARSE_HZ));
  const length = Math.round(OVERLAP_S * rate);
  found[0] = 0;
  found[1] = -2;
  for (let lag = shortest; lag <= longest; lag += stride) compare(buffer, read, direction * lag, length, stride, found);
  if (stride === 1 || found[0] === 0) return;
  const coarse = Math.abs(found[0]);
  found[1] = -2;
  for (let lag = Math.max(shortest, coarse - stride + 1); lag < coarse + stride && lag <= longest; lag++) {
    compare(buffer, read, direction * lag, length, stride, found);
  }
}

/**
 * Keeps the lag in `found` if it is more similar than what is there.
 * @param {JitterBuffer} buffer
 * @param {number} read
 * @param {number} lag
 * @param {number} length
 * @param {number} stride
 * @param {Float64Array} found
 */
function compare({ customer, assistant, mask }, read, lag, length, stride, found) {
  let own = 1e-9; // three statements, because destructuring an array allocates in the audio path
  let other = 1e-9;
  let both = 0;
  for (let k = 0; k < length; k += stride) {
    const here = (read + k) & mask;
    const there = (here + lag) & mask;
    own += customer[here] * customer[here] + assistant[here] * assistant[here];
    other += customer[there] * customer[there] + assistant[there] * assistant[there];
    both += customer[here] * customer[there] + assistant[here] * assistant[there];
  }
  const similarity = own + other < SILENCE_ENERGY * length ? 1 : both / Math.sqrt(own * other); // silence resembles silence
  if (similarity > found[1]) {
    found[0] = lag;
    found[1] = similarity;
  }
}

/**
 * Returns how many samples from `from` on, but at most `most`, are quiet in both channels.
 * @param {JitterBuffer} buffer
 * @param {number} from
 * @param {number} most
 * @param {number} rate Hz
 * @param {Float64Array} threshold RMS of the customer and of the assistant
 */
export function quietFor({ customer, assistant, mask }, from, most, rate, threshold) {
  const block = Math.round(QUIET_BLOCK_S * rate);
  const limitC = threshold[0] * threshold[0] * block;
  const limitA = threshold[1] * threshold[1] * block;
  let length = 0;
  while (length + block <= most) {
    let c = 0;
    let a = 0;
    for (let k = 0, at = (from + length) & mask; k < block; k++, at = (at + 1) & mask) {
      c += customer[at] * customer[at];
      a += assistant[at] * assistant[at];
    }
    if (c > limitC || a > limitA) break;
    length += block;
  }
  return length;
}
