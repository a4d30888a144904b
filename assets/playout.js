/**
 * What a live call's bytes become before they are heard: format, ring buffer, resampler, gaps, gains, levels and counters.
 *
 * Pure: no DOM, no clock and no timer of its own, so that a test feeds it arrivals and pulls samples. `push` takes what the socket
 * brought, `pull` fills what the sound card asks for and allocates nothing. The stream's first channel is the customer, the second the
 * assistant. Sample counts called "source" are per channel at the stream's rate, all others at the output's rate.
 */

const DEPTH = 0.1; // seconds held back, so that an arrival may be this late without being missed
const EDGE = 0.005; // seconds of fade wherever sound begins or breaks off
const SMOOTH = 0.02; // seconds from silent to full when a gain changes
const DITHER = 1.25e-5; // about -103 dBFS: Chromium pauses the sink after 30 s of exact zeros, and it may never come back
const INTERRUPTION = 0.15; // seconds from which WebRTC calls a concealment an interruption
const FIRST_ROOM = 2 ** 19; // source samples: 10.9 s at 48 kHz
const MOST_ROOM = 2 ** 22; // 87 s at 48 kHz: a longer backlog is nobody's live call, and memory has an end

/**
 * @typedef {object} Format
 * @property {number} sampleRate Hz
 * @property {1|2} channels
 * @property {"s16le"|"mulaw"} encoding
 * @property {"start frame"|"measured"|"assumed"} ground on what ground it was decided
 */

/** What Vapi sends on phone calls, and what is assumed of a stream that does not say. @type {Format} */
export const USUAL_FORMAT = { sampleRate: 16000, channels: 2, encoding: "s16le", ground: "assumed" };

const MULAW_NAMES = ["mulaw", "mu-law", "ulaw", "u-law", "pcm_mulaw", "g711_ulaw"];

/**
 * The format that a start frame announces. Anything missing or impossible in it is taken from the usual format, and then it is only
 * assumed, as it is when the frame itself says `"assumed": true`.
 * @param {object} [start] the parsed start frame
 * @returns {Format}
 */
export function readStartFrame(start = {}) {
  const rate = Number(start.sampleRate ?? start.sample_rate);
  const channels = Number(start.channels);
  const whole = rate >= 8000 && rate <= 48000 && (channels === 1 || channels === 2);
  return {
    sampleRate: whole ? rate : USUAL_FORMAT.sampleRate,
    channels: whole ? channels : USUAL_FORMAT.channels,
    encoding: MULAW_NAMES.includes(String(start.encoding).toLowerCase()) ? "mulaw" : "s16le",
    ground: whole && !start.assumed ? "start frame" : "assumed",
  };
}

const bytesPerFrame = ({ channels, encoding }) => channels * (encoding === "mulaw" ? 1 : 2);

/** Bytes per second, and the format that comes so fast: rate, channels, encoding. */
const BYTE_RATES = [
  [8000, 8000, 1, "mulaw"],
  [16000, 8000, 1, "s16le"],
  [32000, 16000, 1, "s16le"],
  [64000, 16000, 2, "s16le"],
  [88200, 44100, 1, "s16le"],
  [96000, 24000, 2, "s16le"],
  [176400, 44100, 2, "s16le"],
  [192000, 48000, 2, "s16le"],
];

/**
 * Finds a format by how fast its bytes come. The first half second is left out, since a stream may open with a burst, and two windows
 * of 1.5 s have to agree, since one may hold a stall's backlog.
 */
class ByteRateMeter {
  #opened = null;
  #from = null;
  #bytes = 0;
  #before = null;

  /** @returns {Format|null} the format, once it is known */
  add(bytes, at) {
    this.#opened ??= at;
    if (at - this.#opened < 0.5) return null;
    if (this.#from === null) {
      this.#from = at;
      return null;
    }
    this.#bytes += bytes;
    if (at - this.#from < 1.5) return null;
    const rate = this.#bytes / (at - this.#from);
    const found = BYTE_RATES.find(([usual]) => Math.abs(rate / usual - 1) < 0.04) ?? null;
    const agreed = found !== null && found === this.#before;
    [this.#from, this.#bytes, this.#before] = [at, 0, found];
    return agreed ? { sampleRate: found[1], channels: found[2], encoding: found[3], ground: "measured" } : null;
  }
}

/** ITU-T G.711: each mu-law byte as a sample in -1..1. */
const MULAW = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84;
  return (bits & 0x80 ? -size : size) / 32768;
});

const TAPS = 32;
const HALF = TAPS / 2;
const PHASES = 256; // a straight line between two phases errs by less than -100 dB

/** Zeroth-order modified Bessel function, for the Kaiser window. */
function bessel0(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/**
 * A low-pass as rows of TAPS coefficients, one row per phase, each summing to 1. A chain of AudioBuffers leaves this to the browser,
 * which draws straight lines between samples: 22 dB SINAD at 3 kHz where this has over 80.
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

/** Two channels of source samples. The first TAPS are kept twice, behind the end too, so that a filter never has to wrap around. */
class Ring {
  constructor(room) {
    this.room = room;
    this.customer = new Float32Array(room + TAPS);
    this.assistant = new Float32Array(room + TAPS);
  }

  write(index, customer, assistant) {
    const at = index & (this.room - 1);
    this.customer[at] = customer;
    this.assistant[at] = assistant;
    if (at < TAPS) {
      this.customer[at + this.room] = customer;
      this.assistant[at + this.room] = assistant;
    }
  }

  /** The samples from `first` up to `end` in a ring of another size. */
  moved(room, first, end) {
    const ring = new Ring(room);
    for (let k = first; k < end; k++) ring.write(k, this.customer[k & (this.room - 1)], this.assistant[k & (this.room - 1)]);
    return ring;
  }
}

/**
 * Plays one stream.
 *
 * `mode` is "waiting" (nothing has been heard yet), "playing", "gap" (it ran dry) or "drained" (ended, and all of it was heard). A gap
 * loses nothing: TCP brings everything in the end, and what the fade made quiet before the gap is played again under the fade after it.
 */
export class Playout {
  mode = "waiting";
  #outRate;
  #format = USUAL_FORMAT;
  #meter = new ByteRateMeter();
  #ring = new Ring(FIRST_ROOM);
  #carry = new Uint8Array(4);
  #carried = 0;
  #written = 0; // source samples, counted from the first
  #read = 0;
  #frac = 0; // and the part of a source sample between `read` and what is heard next
  #spell = 0; // where this spell of playing began
  #dry = 0; // what had been written when it ran dry
  #waited = 0;
  #ended = false;
  #lastWord = Infinity; // where an ended stream ends
  #step; // source samples per output sample
  #kernel = RAISING;
  #changes = []; // formats of another rate, each from its own source sample on
  #edge; // fade in and out, as gains
  #fade = 0;
  #gains = { customer: 1, assistant: 1 };
  #spread = true;
  #mix = new Float32Array([1, 0, 0, 1]); // customer left, customer right, assistant left, assistant right
  #mixGoal = new Float32Array([1, 0, 0, 1]);
  #level = new Float64Array(5); // customer's peak and sum of squares, the assistant's, samples
  #noise = 1;
  #dither;
  #held = DEPTH; // seconds buffered, smoothed
  #gapLasted = 0;
  #count = {
    samplesReceived: 0, samplesDiscarded: 0, totalSamplesReceived: 0, concealedSamples: 0, concealmentEvents: 0,
    interruptionCount: 0, totalInterruptionDuration: 0, jitterBufferDelay: 0, jitterBufferTargetDelay: 0, jitterBufferEmittedCount: 0,
    bytesReceived: 0,
  };

  /**
   * @param {number} outRate the output's rate in Hz
   * @param {{dither?: number}} [options] amplitude of the noise that is always there, 0..1
   */
  constructor(outRate, { dither = DITHER } = {}) {
    this.#outRate = outRate;
    this.#dither = dither;
    this.#step = USUAL_FORMAT.sampleRate / outRate;
    const length = Math.round(EDGE * outRate);
    this.#edge = Float32Array.from({ length: length + 1 }, (_, k) => (1 - Math.cos((Math.PI * k) / length)) / 2);
  }

  /** A start frame came: a new stream, or the same one opened again, so the bytes of a sample that was cut off are nobody's. */
  start(frame) {
    this.#carried = 0;
    const format = readStartFrame(frame);
    this.#meter = format.ground === "assumed" ? new ByteRateMeter() : null;
    this.#adopt(format);
  }

  /**
   * @param {Uint8Array} bytes a piece of the stream, cut anywhere
   * @param {number} at when it arrived, in seconds of any steady clock
   */
  push(bytes, at) {
    const measured = this.#meter?.add(bytes.length, at);
    if (measured) this.#settle(measured);
    this.#count.bytesReceived += bytes.length;
    const size = bytesPerFrame(this.#format);
    this.#makeRoom(Math.ceil(bytes.length / size) + 1);
    let next = 0;
    while (this.#carried > 0 && next < bytes.length) {
      this.#carry[this.#carried++] = bytes[next++];
      if (this.#carried === size) {
        this.#decode(this.#carry, 0, size);
        this.#carried = 0;
      }
    }
    const whole = bytes.length - ((bytes.length - next) % size);
    this.#decode(bytes, next, whole);
    for (next = whole; this.#carried < size && next < bytes.length; next++) this.#carry[this.#carried++] = bytes[next];
  }

  /** Nothing more will come: what is buffered is played, then `mode` is "drained". */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#lastWord = this.#written;
    this.#makeRoom(HALF);
    for (let k = 0; k < HALF; k++) this.#ring.write(this.#written++, 0, 0); // for the filter, which looks ahead
  }

  /** Leaves out what nobody could hear, such as what came while the browser allowed no sound, and goes on from the newest sound. */
  skipToLive() {
    const live = this.#written - Math.round(DEPTH * this.#step * this.#outRate);
    if (this.#ended || live <= this.#read) return;
    this.#discard(live - this.#read);
  }

  /**
   * @param {"customer"|"assistant"} who
   * @param {number} gain 0..1
   */
  setGain(who, gain) {
    this.#gains[who] = Math.min(1, Math.max(0, Number(gain) || 0));
    this.#aim();
  }

  /** @param {boolean} on the customer left and the assistant right, as they come; else both in both ears */
  setSpread(on) {
    this.#spread = Boolean(on);
    this.#aim();
  }

  /**
   * Fills two channels of the output's next samples.
   * @param {Float32Array} left
   * @param {Float32Array} right of the same length
   */
  pull(left, right) {
    const wanted = left.length;
    this.#startWhenDue(wanted);
    const played = this.mode === "playing" ? this.#play(left, right) : 0;
    left.fill(0, played);
    right.fill(0, played);
    this.#account(played, wanted);
    this.#listen(left, right);
    this.#blend(left, right);
  }

  /**
   * Peak and RMS, 0..1, of what each speaker said since the last time this was asked, whatever the gains.
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
   * Counters under the names of W3C's `RTCInboundRtpStreamStats` where it has one. `totalSamplesReceived`, `concealedSamples` and
   * `jitterBufferEmittedCount` count output samples, `samples...` source samples: received = played + discarded + buffered, always.
   * `jitterBufferDelay` and `jitterBufferTargetDelay` are seconds summed over emitted samples; `delay` is seconds behind, now.
   */
  stats() {
    return {
      mode: this.mode,
      format: { ...this.#format },
      outputSampleRate: this.#outRate,
      delay: this.#held,
      samplesBuffered: this.#count.samplesReceived - this.#count.samplesDiscarded - this.#playedSamples(),
      samplesPlayed: this.#playedSamples(),
      silentConcealedSamples: this.#count.concealedSamples,
      insertedSamplesForDeceleration: 0,
      removedSamplesForAcceleration: 0,
      ...this.#count,
    };
  }

  #playedSamples() {
    return Math.min(this.#read, this.#count.samplesReceived) - this.#count.samplesDiscarded;
  }

  /** Changes the format from the next sample on. What is buffered is still played at its own rate. */
  #adopt(format) {
    const rate = format.sampleRate;
    if (rate !== this.#rateAtEnd()) {
      const kernel = rate > this.#outRate ? lowPass((0.97 * this.#outRate) / rate) : RAISING;
      this.#changes.push({ at: this.#written, rate, kernel });
    }
    this.#format = format;
    if (this.#read >= this.#written) this.#follow();
  }

  /** The byte rate is known: what was decoded by a wrong assumption is noise, not speech, so what of it is unheard stays so. */
  #settle(format) {
    const { sampleRate, channels, encoding } = this.#format;
    if (sampleRate !== format.sampleRate || channels !== format.channels || encoding !== format.encoding) {
      this.#carried = 0;
      this.#discard(this.#written - this.#read);
      this.#dry = this.#written;
      this.#waited = 0;
      this.mode = "waiting";
    }
    this.#meter = null;
    this.#adopt(format);
  }

  #rateAtEnd() {
    return this.#changes.at(-1)?.rate ?? this.#step * this.#outRate;
  }

  /** Takes the rate of the samples that are heard next. */
  #follow() {
    while (this.#changes.length > 0 && this.#read >= this.#changes[0].at) {
      const { rate, kernel } = this.#changes.shift();
      this.#step = rate / this.#outRate;
      this.#kernel = kernel;
    }
  }

  #decode(bytes, from, to) {
    const stereo = this.#format.channels === 2;
    let written = this.#written;
    if (this.#format.encoding === "mulaw") {
      for (let k = from; k < to; k += stereo ? 2 : 1) this.#ring.write(written++, MULAW[bytes[k]], MULAW[bytes[stereo ? k + 1 : k]]);
    } else {
      for (let k = from; k < to; k += stereo ? 4 : 2) {
        const first = ((bytes[k] | (bytes[k + 1] << 8)) << 16) >> 16;
        const second = stereo ? ((bytes[k + 2] | (bytes[k + 3] << 8)) << 16) >> 16 : first;
        this.#ring.write(written++, first / 32768, second / 32768);
      }
    }
    this.#count.samplesReceived += written - this.#written;
    this.#written = written;
  }

  /** Room for so many more, behind what a filter or a replayed fade may still look back at. */
  #makeRoom(samples) {
    const back = TAPS + Math.ceil(this.#edge.length * this.#step);
    const needed = this.#written + samples - this.#read + back;
    let { room } = this.#ring;
    while (room < needed && room < MOST_ROOM) room *= 2;
    if (needed > room) this.#discard(needed - room);
    if (room > this.#ring.room) this.#ring = this.#ring.moved(room, Math.max(0, this.#read - back), this.#written);
  }

  #discard(samples) {
    const count = Math.min(samples, this.#written - this.#read);
    this.#read += count;
    this.#spell = this.#read;
    this.#count.samplesDiscarded += count;
    this.#fade = 0;
    this.#follow();
  }

  #startWhenDue(wanted) {
    if (this.mode === "playing" || this.mode === "drained") return;
    if (this.#read >= this.#lastWord) {
      this.mode = "drained";
      return;
    }
    const buffered = this.#written - this.#read;
    this.#waited = this.#written > this.#dry ? this.#waited + wanted : 0;
    const enough = buffered > HALF + 2 * this.#edge.length * this.#step;
    const depth = DEPTH * this.#outRate;
    // a sender that pauses may leave less than the depth: when that has waited long enough it is as late as it should be
    if (this.#ended || (enough && (buffered / this.#step >= depth || this.#waited >= depth))) {
      this.mode = "playing";
      this.#spell = this.#read;
      this.#fade = 0;
      this.#gapLasted = 0;
    }
  }

  /** Plays as far as there is sound, and returns how far: the customer into the one array, the assistant into the other. */
  #play(customer, assistant) {
    const { customer: c, assistant: a, room } = this.#ring;
    const mask = room - 1;
    const edge = this.#edge;
    const full = edge.length - 1;
    const end = this.#written - HALF; // up to here the filter sees only what has come
    let kernel = this.#kernel;
    let step = this.#step;
    let change = this.#changes.length > 0 ? this.#changes[0].at : Infinity;
    let read = this.#read;
    let frac = this.#frac;
    let fade = this.#fade;
    let k = 0;
    for (; k < customer.length; k++) {
      const left = end - read - frac;
      if (left >= full * step) {
        if (fade < full) fade++;
      } else if (fade > 0) {
        fade--;
      }
      if (left <= 0 || fade === 0) break;
      const phase = frac * PHASES;
      const row = Math.floor(phase);
      const between = phase - row;
      const from = (read - HALF + 1) & mask;
      let tap = row * TAPS;
      let sumC = 0;
      let sumA = 0;
      for (let t = from; t < from + TAPS; t++, tap++) {
        const h = kernel[tap] + between * (kernel[tap + TAPS] - kernel[tap]);
        sumC += h * c[t];
        sumA += h * a[t];
      }
      customer[k] = sumC * edge[fade];
      assistant[k] = sumA * edge[fade];
      frac += step;
      const whole = Math.floor(frac);
      read += whole;
      frac -= whole;
      if (read >= change) {
        this.#read = read;
        this.#follow();
        kernel = this.#kernel;
        step = this.#step;
        change = this.#changes.length > 0 ? this.#changes[0].at : Infinity;
      }
    }
    this.#read = read;
    this.#frac = frac;
    this.#fade = fade;
    if (k < customer.length) this.#runDry(full);
    return k;
  }

  #runDry(faded) {
    if (this.#ended) {
      this.#read = this.#written;
      this.mode = "drained";
      return;
    }
    this.mode = "gap";
    this.#read = Math.max(this.#spell, this.#read - Math.ceil(faded * this.#step));
    this.#fade = 0;
    this.#dry = this.#written;
    this.#waited = 0;
    this.#count.concealmentEvents++;
  }

  #account(played, wanted) {
    const count = this.#count;
    const held = Math.max(0, this.#written - this.#read) / (this.#step * this.#outRate);
    count.jitterBufferDelay += held * played;
    count.jitterBufferTargetDelay += DEPTH * played;
    count.jitterBufferEmittedCount += played;
    this.#held += (held - this.#held) * Math.min(1, (2 * played) / this.#outRate);
    const concealed = this.mode === "gap" ? wanted - played : 0;
    count.concealedSamples += concealed;
    count.totalSamplesReceived += played + concealed;
    const before = this.#gapLasted;
    this.#gapLasted += concealed / this.#outRate;
    if (this.#gapLasted < INTERRUPTION) return;
    if (before < INTERRUPTION) count.interruptionCount++;
    count.totalInterruptionDuration += before < INTERRUPTION ? this.#gapLasted : this.#gapLasted - before;
  }

  #listen(customer, assistant) {
    const level = this.#level;
    for (let k = 0; k < customer.length; k++) {
      const c = Math.abs(customer[k]);
      const a = Math.abs(assistant[k]);
      if (c > level[0]) level[0] = c;
      if (a > level[2]) level[2] = a;
      level[1] += c * c;
      level[3] += a * a;
    }
    level[4] += customer.length;
  }

  #aim() {
    const { customer, assistant } = this.#gains;
    const [own, other] = this.#spread ? [1, 0] : [Math.SQRT1_2, Math.SQRT1_2]; // one voice in two ears is 3 dB louder
    this.#mixGoal.set([customer * own, customer * other, assistant * other, assistant * own]);
  }

  /** Two speakers into two ears. */
  #blend(left, right) {
    const mix = this.#mix;
    const goal = this.#mixGoal;
    const most = 1 / (SMOOTH * this.#outRate);
    for (let k = 0; k < left.length; k++) {
      for (let m = 0; m < 4; m++) {
        const ahead = goal[m] - mix[m];
        mix[m] += ahead > most ? most : ahead < -most ? -most : ahead;
      }
      const customer = left[k];
      const assistant = right[k];
      this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) | 0;
      const dither = (this.#noise / 2147483648) * this.#dither;
      left[k] = customer * mix[0] + assistant * mix[2] + dither;
      right[k] = customer * mix[1] + assistant * mix[3] + dither;
    }
  }
}

// A worklet's modules cannot import by a versioned address (a static import has no place for `?v=`, and import() is not allowed there),
// so that in a worklet, whose modules share one global scope, the next module finds the class here.
if ("registerProcessor" in globalThis) globalThis.Playout = Playout;
