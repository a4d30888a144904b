/**
 * Where a stream may be left and entered again a little later or earlier, so that it takes less or more time at the same pitch; and where
 * nobody speaks. Both channels are judged together, and spliced at the same place, so that they never part.
 */
export const OVERLAP = 0.005; // seconds in which one sound goes over into the other
export const SHORTEST = 0.0025; // seconds: one period of a high voice
export const LONGEST = 0.0098; // of a low one. With what goes over on either side a listener misses less than 20 ms
const COARSE = 16000; // comparisons are made first at about this rate
const QUIET_BLOCK = 0.005;

/**
 * The lag (in samples, forwards or backwards) at which the sound from `read` on is most like itself.
 * @param {JitterBuffer} buffer
 * @param {number} read
 * @param {number} rate Hz
 * @param {number} shortest samples
 * @param {number} longest samples
 * @param {1|-1} way
 * @param {Float64Array} found the lag, and how like the two are: 1 the same, 0 unrelated
 */
export function likest(buffer, read, rate, shortest, longest, way, found) {
  const stride = Math.max(1, Math.round(rate / COARSE));
  const length = Math.round(OVERLAP * rate);
  found[0] = 0;
  found[1] = -2;
  for (let lag = shortest; lag <= longest; lag += stride) compare(buffer, read, way * lag, length, stride, found);
  if (stride === 1 || found[0] === 0) return;
  const coarse = Math.abs(found[0]);
  found[1] = -2;
  for (let lag = Math.max(shortest, coarse - stride + 1); lag < coarse + stride && lag <= longest; lag++) {
    compare(buffer, read, way * lag, length, stride, found);
  }
}

function compare({ customer, assistant, mask }, read, lag, length, stride, found) {
  let own = 1e-9; // no pairs in brackets here: in the audio path they would be allocated
  let other = 1e-9;
  let both = 0;
  for (let k = 0; k < length; k += stride) {
    const here = (read + k) & mask;
    const there = (here + lag) & mask;
    own += customer[here] * customer[here] + assistant[here] * assistant[here];
    other += customer[there] * customer[there] + assistant[there] * assistant[there];
    both += customer[here] * customer[there] + assistant[here] * assistant[there];
  }
  const likeness = own + other < 2e-6 * length ? 1 : both / Math.sqrt(own * other); // silence is like silence
  if (likeness > found[1]) {
    found[0] = lag;
    found[1] = likeness;
  }
}

/** How many samples from `read` on, but at most `most`, are quieter in both channels than `quiet` (an RMS of each). */
export function quietFor({ customer, assistant, mask }, read, most, rate, quiet) {
  const block = Math.round(QUIET_BLOCK * rate);
  const limitC = quiet[0] * quiet[0] * block;
  const limitA = quiet[1] * quiet[1] * block;
  let length = 0;
  while (length + block <= most) {
    let c = 0;
    let a = 0;
    for (let k = 0, at = (read + length) & mask; k < block; k++, at = (at + 1) & mask) {
      c += customer[at] * customer[at];
      a += assistant[at] * assistant[at];
    }
    if (c > limitC || a > limitA) break;
    length += block;
  }
  return length;
}
