/**
 * Brings one speaker to the loudness of EBU R128, slowly. Only speech counts: the gain stands still in silence, and noise is never raised.
 *
 * Speech is told from noise by its valleys: 100 ms of it are at least 10 dB above something within the second before and the second after.
 * A line's noise has no valleys, however loud it is, and where it sets in it has none on one side. So what is heard now is judged a second
 * later; the sound itself is not delayed.
 */
import { KWeighting } from "./k_weighting.js";

const TARGET_LUFS = -23;
const MAX_GAIN_DB = 12;
const SHORT_TERM_BLOCKS = 30; // 3 s, as R128's short-term loudness, of speech
const FEWEST_BLOCKS = 8; // one word says nothing
const FASTEST_DB = 0.3; // per block: 3 dB per second of speech
const FOLLOWED = 0.05; // of the difference per block: two seconds of speech for 63 %
const SLOTS_PER_BLOCK = 5; // 20 ms each
const SLOT_S = 0.02;
const REACH = 50; // slots: 1 s, searched for a valley before and after
const RING = 128; // slots: more than the two reaches and a block
const VALLEY = 0.1; // of the block's energy: 10 dB below it
const DIGITAL_SILENCE = 1e-8; // mean square: -80 dB. Missing sound is no valley
const QUIETEST_SPEECH = 10 ** ((-50 + 0.691) / 10); // mean square: -50 LUFS
const SMOOTHING_S = 0.05; // of the gain itself, so that its steps are not heard
const LOUDNESS = 0;
const GAIN_DB = 1;
const GAIN = 2;

export class AutoGain {
  /** True: the gain is applied. */
  on = true;
  #weighting;
  #slotLength;
  #slots = new Float64Array(RING); // mean square of each 20 ms
  #slot = 0; // how many there were
  #filled = 0; // samples in the current one
  #speech = new Float64Array(SHORT_TERM_BLOCKS); // mean square of the last 3 s of speech
  #blocks = 0; // of speech, so far
  #values = new Float64Array([0, 0, 1]); // LUFS, dB, factor. An array, because V8 allocates fractional numbers in fields
  #follow;

  /** @param {number} rate the output's rate in Hz */
  constructor(rate) {
    this.#weighting = new KWeighting(rate);
    this.#slotLength = SLOT_S * rate;
    this.#follow = 1 / (SMOOTHING_S * rate);
  }

  /** The gain in dB that is aimed at. */
  get decibels() {
    return this.on ? this.#values[GAIN_DB] : 0;
  }

  /** Loudness in LUFS of the last 3 s of speech, before the gain; null while too little was said. */
  get loudness() {
    return this.#blocks < FEWEST_BLOCKS ? null : this.#values[LOUDNESS];
  }

  /** The factor that `apply` used last. */
  get factor() {
    return this.#values[GAIN];
  }

  /**
   * Listens to sound that came from the stream.
   * @param {Float32Array} samples one speaker's, before any gain
   */
  listen(samples) {
    this.#weighting.add(samples);
    this.#filled += samples.length;
    if (this.#filled < this.#slotLength) return;
    this.#slots[this.#slot++ & (RING - 1)] = this.#weighting.energy[0] / this.#filled;
    this.#weighting.energy[0] = 0;
    this.#filled = 0;
    if (this.#slot % SLOTS_PER_BLOCK === 0 && this.#slot >= SLOTS_PER_BLOCK + 2 * REACH) this.#judge();
  }

  /**
   * Applies the gain, in place.
   * @param {Float32Array} samples
   */
  apply(samples) {
    const values = this.#values;
    const goal = 10 ** (this.decibels / 20);
    const follow = this.#follow;
    if (values[GAIN] === 1 && goal === 1) return;
    let gain = values[GAIN];
    for (let k = 0; k < samples.length; k++) {
      gain += follow * (goal - gain);
      samples[k] *= gain;
    }
    values[GAIN] = gain;
  }

  /** Judges the block that ended a second ago. */
  #judge() {
    const slots = this.#slots;
    const end = this.#slot - REACH;
    const begin = end - SLOTS_PER_BLOCK;
    let power = 0;
    for (let k = begin; k < end; k++) power += slots[k & (RING - 1)] / SLOTS_PER_BLOCK;
    if (power < QUIETEST_SPEECH) return;
    const valley = VALLEY * power;
    if (!this.#falls(begin - REACH, begin, valley) || !this.#falls(end, end + REACH, valley)) return;
    this.#speech[this.#blocks++ % SHORT_TERM_BLOCKS] = power;
    if (this.#blocks >= FEWEST_BLOCKS) this.#steer();
  }

  /**
   * True if two slots in a row are below `valley`, yet not silent.
   * @param {number} from
   * @param {number} to
   * @param {number} valley
   */
  #falls(from, to, valley) {
    const slots = this.#slots;
    let low = 0;
    for (let k = from; k < to; k++) {
      const power = slots[k & (RING - 1)];
      low = power < valley && power > DIGITAL_SILENCE ? low + 1 : 0;
      if (low === 2) return true;
    }
    return false;
  }

  #steer() {
    const values = this.#values;
    const count = Math.min(this.#blocks, SHORT_TERM_BLOCKS);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += this.#speech[k];
    values[LOUDNESS] = -0.691 + 10 * Math.log10(sum / count);
    const goal = Math.max(-MAX_GAIN_DB, Math.min(MAX_GAIN_DB, TARGET_LUFS - values[LOUDNESS]));
    values[GAIN_DB] += Math.max(-FASTEST_DB, Math.min(FASTEST_DB, FOLLOWED * (goal - values[GAIN_DB])));
  }
}
