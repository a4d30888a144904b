import { aim, convolve, HALF, TAPS } from "./resampler.js";

const EDGE = 0.005; // seconds of fade wherever sound begins or breaks off

/**
 * The place in the buffer that is heard, moving on at its own pace, over splices and edges.
 *
 * Where sound breaks off, what was heard last is heard backwards as it fades: so nothing is faded that is not heard in full, no sample
 * steps, and no sound has to be kept back for the fade. After a gap the last `EDGE` is heard again as it fades in.
 */
export class Playhead {
  read = 0;
  /** Sample that is not to be read, since nothing, or another format, is there. */
  limit = 0;
  /** Source samples per output sample, and times how many it plays now. */
  step = 1;
  pace = 1;
  /** Whether it has come to the limit and faded. */
  dry = false;
  /** Output samples of the last `play` that were the stream's own. */
  real = 0;
  /** Source samples that were passed, and of these those that were passed for a second time. */
  passed = 0;
  repeated = 0;
  kernel = null;
  #buffer;
  #frac = 0;
  #edge;
  #fade = 0;
  #spell = 0; // where this spell of playing began
  #turned = false;
  #turnedAt = 0;
  #lag = 0;
  #overlap = 0; // output samples of a splice that are still to come
  #overlapped = 1; // of how many
  #row = new Float32Array(TAPS);
  #sums = new Float64Array(2);

  constructor(buffer, outRate) {
    this.#buffer = buffer;
    const length = Math.round(EDGE * outRate);
    this.#edge = Float32Array.from({ length: length + 1 }, (_, k) => (1 - Math.cos((Math.PI * k) / length)) / 2);
  }

  /** Source samples that can be heard before it is dry; also what a splice may not reach beyond. */
  get left() {
    return this.limit - HALF - this.next;
  }

  /** Source sample that is heard next, when a splice or a fade that goes on is over. */
  get next() {
    if (this.#turned) return this.#turnedAt;
    return this.#overlap > 0 && this.#lag > 0 ? this.read + this.#lag : this.read;
  }

  get splicing() {
    return this.#overlap > 0;
  }

  /** Source samples behind `read` that may still be wanted. */
  get back() {
    return TAPS + Math.ceil(0.09 * this.step * (this.#edge.length / EDGE));
  }

  /** How many samples it could go back without leaving what was played in one piece. */
  get past() {
    return this.read - this.#spell;
  }

  begin() {
    this.dry = false;
    this.#fade = 0;
  }

  /** After a gap: back to what faded, for the sake of which it is played once more. */
  goBack() {
    const again = Math.min(this.past, Math.ceil(this.#edge.length * this.step));
    this.read -= again;
    this.repeated += again;
  }

  /** Goes on at `place`, faded in. */
  moveTo(place) {
    this.read = this.#spell = place;
    this.#turned = false;
    this.#frac = this.#overlap = 0;
    this.begin();
  }

  /** Goes over to what is `lag` samples later, or earlier if below 0, within so many seconds. */
  splice(lag, seconds) {
    this.#lag = lag | 0; // whole, and kept as such: else `read` would become a number that is allocated
    this.#overlap = this.#overlapped = Math.max(1, Math.round((seconds * (this.#edge.length - 1)) / EDGE));
  }

  /** Fills the arrays as far as there is sound, and `calm` with how much of it is not; returns how far. */
  play(customer, assistant, calm) {
    const full = this.#edge.length - 1;
    this.real = 0;
    if (this.#turned && this.limit - HALF > this.#turnedAt) this.#turnBack();
    for (let k = 0; k < customer.length; k++) {
      if (!this.#turned && this.left - this.#frac <= 0) this.#turn();
      if (!this.#turned) this.#fade = Math.min(full, this.#fade + 1);
      else if (--this.#fade <= 0) {
        this.#breakOff();
        return k;
      }
      this.#hear(k, customer, assistant);
      const gain = this.#edge[this.#fade];
      customer[k] *= gain;
      assistant[k] *= gain;
      calm[k] = 1 - gain;
      this.#move();
    }
    return customer.length;
  }

  #hear(k, customer, assistant) {
    const { mask } = this.#buffer;
    const row = this.#row;
    const sums = this.#sums;
    aim(this.kernel, this.#frac, row);
    const from = (this.read - HALF + 1) & mask;
    convolve(row, this.#buffer, from, sums);
    customer[k] = sums[0];
    assistant[k] = sums[1];
    if (this.#overlap === 0) return;
    const over = 0.5 + 0.5 * Math.cos((Math.PI * this.#overlap) / this.#overlapped);
    convolve(row, this.#buffer, (from + this.#lag) & mask, sums);
    customer[k] += over * (sums[0] - customer[k]);
    assistant[k] += over * (sums[1] - assistant[k]);
  }

  #move() {
    this.#frac += this.#turned ? -this.step * this.pace : this.step * this.pace;
    const whole = Math.floor(this.#frac);
    this.#frac -= whole;
    this.read += whole;
    if (this.#turned) return;
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
    this.#turned = true;
  }

  /** Sound came before the fade was over: it goes on over what was just heard backwards. */
  #turnBack() {
    this.repeated += this.#turnedAt - this.read;
    this.#turned = false;
  }

  #breakOff() {
    this.read = this.#turnedAt;
    this.#frac = this.#fade = 0;
    this.#turned = false;
    this.dry = true;
  }
}
