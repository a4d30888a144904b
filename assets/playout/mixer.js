/** Two speakers into two ears: gains, levels, the noise of the line, and the dither that is always there. */
const SMOOTH = 0.02; // seconds from silent to full when a gain changes
const BLOCK = 0.02; // seconds over which loudness is taken
const RISE = 1.003; // per block: the line's noise is the quietest of the last seconds
const LOUDEST_NOISE = 0.002; // RMS, -54 dBFS: comfort is not to be heard as something said
const DULL = 0.25; // of each new sample, since a line's noise is no hiss
const UNDULLED = Math.sqrt((3 * (2 - DULL)) / DULL); // what brings it back to an RMS of 1
export const DITHER = 1.25e-5; // about -103 dBFS: Chromium pauses the sink after 30 s of exact zeros, and it may never come back

export class Mixer {
  /** RMS of what lies under each speaker's words; below 0 while it is not known. */
  floor = new Float64Array([-1, -1]);
  #gains = { customer: 1, assistant: 1 };
  #spread = true;
  #mix = new Float64Array([1, 0, 0, 1]); // customer left, customer right, assistant left, assistant right
  #goal = new Float64Array([1, 0, 0, 1]);
  #most;
  #level = new Float64Array(5); // customer's peak and sum of squares, the assistant's, samples
  #block = new Float64Array(3); // sums of squares and samples, for the floor
  #blockLength;
  #dither;
  #noise = 1;
  #hum = 0;

  constructor(rate, dither) {
    this.#most = 1 / (SMOOTH * rate);
    this.#blockLength = BLOCK * rate;
    this.#dither = dither;
  }

  setGain(who, gain) {
    this.#gains[who] = Math.min(1, Math.max(0, Number(gain) || 0));
    this.#aim();
  }

  setSpread(on) {
    this.#spread = Boolean(on);
    this.#aim();
  }

  /** Adds the line's own noise where `calm` (0..1 per sample) says that the line brings nothing. */
  comfort(customer, assistant, calm) {
    const c = UNDULLED * Math.max(0, Math.min(this.floor[0], LOUDEST_NOISE));
    const a = UNDULLED * Math.max(0, Math.min(this.floor[1], LOUDEST_NOISE));
    for (let k = 0; k < customer.length; k++) {
      this.#hum += DULL * (this.#random() - this.#hum);
      customer[k] += c * calm[k] * this.#hum;
      assistant[k] += a * calm[k] * this.#hum;
    }
  }

  /** Measures what is heard; `whole`: all of it is the stream's own. */
  listen(customer, assistant, whole) {
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
    this.#block[0] += squaresC;
    this.#block[1] += squaresA;
    this.#block[2] += customer.length;
    if (this.#block[2] >= this.#blockLength) this.#lower();
  }

  #lower() {
    const block = this.#block;
    for (let who = 0; who < 2; who++) {
      const rms = Math.sqrt(block[who] / block[2]);
      const raised = Math.max(1e-6, this.floor[who] * RISE);
      this.floor[who] = this.floor[who] < 0 ? rms : Math.min(raised, rms);
    }
    block.fill(0);
  }

  takeLevels(into) {
    const level = this.#level;
    const samples = Math.max(1, level[4]);
    into[0] = level[0];
    into[1] = Math.sqrt(level[1] / samples);
    into[2] = level[2];
    into[3] = Math.sqrt(level[3] / samples);
    level.fill(0);
  }

  /** The customer's and the assistant's samples become the left ear's and the right one's. */
  blend(left, right) {
    const mix = this.#mix;
    const goal = this.#goal;
    const most = this.#most;
    for (let k = 0; k < left.length; k++) {
      for (let m = 0; m < 4; m++) {
        const ahead = goal[m] - mix[m];
        mix[m] += ahead > most ? most : ahead < -most ? -most : ahead;
      }
      const customer = left[k];
      const assistant = right[k];
      const dither = this.#random() * this.#dither;
      left[k] = customer * mix[0] + assistant * mix[2] + dither;
      right[k] = customer * mix[1] + assistant * mix[3] + dither;
    }
  }

  #random() {
    this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) | 0;
    return this.#noise / 2147483648;
  }

  #aim() {
    const { customer, assistant } = this.#gains;
    const [own, other] = this.#spread ? [1, 0] : [Math.SQRT1_2, Math.SQRT1_2]; // one voice in two ears is 3 dB louder
    this.#goal.set([customer * own, customer * other, assistant * other, assistant * own]);
  }
}
