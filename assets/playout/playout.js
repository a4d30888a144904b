/**
 * What a live call's bytes become before they are heard: the one class around buffer, depth, pace and mixer.
 *
 * Pure: no DOM, no clock and no timer of its own, so that a test feeds it arrivals and pulls samples. `push` takes what the socket
 * brought, `pull` fills what the sound card asks for and allocates nothing. The stream's first channel is the customer, the second the
 * assistant. Sample counts called "source" are per channel at the stream's rate, all others at the output's rate.
 */
import { Arrivals } from "./arrivals.js";
import { Counters } from "./counters.js";
import { Depth } from "./depth.js";
import { JitterBuffer } from "./jitter_buffer.js";
import { DITHER, Mixer } from "./mixer.js";
import { DRIFT, EXCESS, Pace, SECONDS } from "./pace.js";
import { Playhead } from "./playhead.js";
import { HALF, kernelFor } from "./resampler.js";
import { bytesPerFrame, FormatMeter, readOverride, readStartFrame, sameFormat, USUAL_FORMAT } from "./stream_format.js";

const PAUSE_BEFORE = 0.01; // seconds that the first sound waits, since the next may be as late
const ENOUGH = 0.01; // seconds with which it goes on,
const LONG_ENOUGH = 0.05; // or for which anything at all has waited
const TOO_FAR = 3; // seconds behind from which a listener who stays live leaps
const BUFFERED = 0; // in #place
const BEHIND = 1;
const LEAP = 0.01; // seconds of crossfade over such a leap

/**
 * Plays one stream.
 *
 * `mode` is "waiting" (nothing has been heard yet), "playing", "gap" (it ran dry) or "drained" (ended, and all of it was heard). A gap
 * loses nothing: TCP brings everything in the end, and what is late is played off faster.
 */
export class Playout {
  mode = "waiting";
  #outRate;
  #count;
  #override = null;
  #announced = USUAL_FORMAT;
  #format = USUAL_FORMAT;
  #meter = new FormatMeter();
  #buffer = new JitterBuffer();
  #head;
  #mixer;
  #pace;
  #depth = new Depth();
  #arrivals = new Arrivals(this.#depth);
  #changes = []; // formats, each from its own source sample on
  #rate = USUAL_FORMAT.sampleRate; // of what is heard
  #pads = 0; // samples that are in the buffer only for the filter
  #media = 0; // seconds of stream that have come
  #now = 0; // seconds that were pulled
  #dryAt = 0; // what had been written when it ran dry
  #waited = 0;
  #ended = false;
  #staysLive = false;
  #calm = new Float32Array(128);
  #place = new Float64Array(2); // seconds: buffered, and behind the best arrival

  /**
   * @param {number} outRate the output's rate in Hz
   * @param {{dither?: number}} [options] amplitude of the noise that is always there, 0..1
   */
  constructor(outRate, { dither = DITHER } = {}) {
    this.#outRate = outRate;
    this.#count = new Counters(outRate);
    this.#head = new Playhead(this.#buffer, outRate);
    this.#mixer = new Mixer(outRate, dither);
    this.#pace = new Pace(this.#buffer, this.#head, this.#mixer.floor);
    this.#hear(USUAL_FORMAT.sampleRate);
  }

  /** A start frame came: a new stream, or the same one opened again, so the bytes of a sample that was cut off are nobody's. */
  start(frame) {
    this.#buffer.cut();
    this.#arrivals.reset();
    this.#announced = readStartFrame(frame);
    this.#decide();
  }

  /** @param {object|null} format what the operator says that the stream is: sampleRate, channels, encoding; null: let it say itself */
  setFormat(format) {
    this.#override = readOverride(format);
    this.#decide();
  }

  /**
   * @param {Uint8Array} bytes a piece of the stream, cut anywhere
   * @param {number} at when it arrived, in seconds of any steady clock
   */
  push(bytes, at) {
    const measured = this.#meter?.add(bytes, at);
    if (measured) this.#settle(measured);
    this.#count.bytesReceived += bytes.length;
    this.#makeRoom(Math.ceil(bytes.length / bytesPerFrame(this.#format)) + 1);
    const samples = this.#buffer.push(bytes, this.#format);
    if (samples === 0) return;
    this.#count.samplesReceived += samples;
    this.#media += samples / this.#format.sampleRate;
    this.#arrivals.add(this.#now, this.#media - samples / this.#format.sampleRate, this.#media);
    this.#limit();
  }

  /** Nothing more will come: what is buffered is played, then `mode` is "drained". */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#pad();
    this.#limit();
  }

  /** Leaves out what nobody could hear, such as what came while the browser allowed no sound, and goes on from the newest sound. */
  skipToLive() {
    this.#arrivals.reset();
    this.#measure();
    const excess = this.#place[BUFFERED] - this.#depth.target;
    if (!this.#ended && excess > 0) this.#discard(Math.round(excess * this.#rate));
  }

  /** @param {boolean} on leap ahead when more than 3 s behind; else never lose a word */
  setStayLive(on) {
    this.#staysLive = Boolean(on);
  }

  /**
   * @param {"customer"|"assistant"} who
   * @param {number} gain 0..1
   */
  setGain(who, gain) {
    this.#mixer.setGain(who, gain);
  }

  /** @param {boolean} on the customer left and the assistant right, as they come; else both in both ears */
  setSpread(on) {
    this.#mixer.setSpread(on);
  }

  /**
   * Fills two channels of the output's next samples.
   * @param {Float32Array} left
   * @param {Float32Array} right of the same length
   */
  pull(left, right) {
    const wanted = left.length;
    const seconds = wanted / this.#outRate;
    if (this.#calm.length !== wanted) this.#calm = new Float32Array(wanted);
    if (this.mode !== "playing") this.#startWhenDue(wanted);
    let filled = 0;
    let real = 0;
    if (this.mode === "playing") {
      this.#pace.given[SECONDS] = seconds;
      this.#steer();
      filled = this.#head.play(left, right, this.#calm);
      real = this.#head.real;
    }
    if (filled < wanted) {
      left.fill(0, filled);
      right.fill(0, filled);
      this.#calm.fill(1, filled);
    }
    if (this.#head.dry && this.mode === "playing") this.#runDry();
    this.#account(real, wanted);
    this.#now += seconds;
    if ((real < wanted || this.#calm[0] > 0) && (this.mode === "gap" || this.mode === "playing")) this.#mixer.comfort(left, right, this.#calm);
    this.#mixer.listen(left, right, real === wanted);
    this.#mixer.blend(left, right);
  }

  /**
   * Peak and RMS, 0..1, of what each speaker said since the last time this was asked, whatever the gains.
   * @param {Float32Array} into customer's peak, customer's RMS, assistant's peak, assistant's RMS
   */
  takeLevels(into) {
    this.#mixer.takeLevels(into);
  }

  /** Whether it is playing faster, to get back to the target. */
  get catchesUp() {
    return this.mode === "playing" && this.#pace.hurries;
  }

  /**
   * Counters under the names of W3C's `RTCInboundRtpStreamStats` where it has one, in output samples; `samples...` are source samples:
   * received = played + stretched + cut + discarded + buffered, always. `samplesStretched` were left out of speech, a period at a time,
   * `samplesCut` out of pauses. `jitterBufferDelay` and `jitterBufferTargetDelay` are seconds summed over emitted samples; `delay` is
   * seconds behind the best that this way can do, `targetDelay` the delay that is aimed at; `drift` of the sender's clock is in ppm.
   */
  stats() {
    this.#measure();
    const { passed, repeated } = this.#head;
    const { stretched, cut } = this.#pace;
    const ratio = this.#outRate / this.#rate;
    return {
      mode: this.mode,
      format: { ...this.#format },
      outputSampleRate: this.#outRate,
      delay: Math.max(0, this.#place[BEHIND]),
      targetDelay: this.#depth.target,
      drift: this.#arrivals.drift * 1e6,
      samplesBuffered: this.#buffer.written - this.#pads - this.#head.next,
      samplesPlayed: passed - repeated,
      samplesStretched: stretched,
      samplesCut: cut,
      samplesRepeated: repeated,
      silentConcealedSamples: this.#count.concealedSamples,
      insertedSamplesForDeceleration: Math.round(repeated * ratio),
      removedSamplesForAcceleration: Math.round((stretched + cut) * ratio),
      ...this.#count,
    };
  }

  #steer() {
    this.#measure();
    const behind = this.#place[BEHIND];
    if (this.#staysLive && behind > TOO_FAR && !this.#head.splicing) {
      const lag = Math.round(Math.min(behind - this.#depth.target, this.#head.left / this.#rate - 1.1 * LEAP) * this.#rate);
      if (lag > 0) {
        this.#head.splice(lag, LEAP);
        this.#count.samplesDiscarded += lag;
      }
    }
    const overdue = !this.#ended && this.#arrivals.overdue(this.#now);
    // how a stream comes is known after a second; till then it may come in bundles that it would be wrong to hurry through
    this.#pace.given[EXCESS] = this.#arrivals.events < 2 ? 0 : behind - this.#depth.target;
    this.#pace.given[DRIFT] = this.#arrivals.drift;
    this.#pace.steer(overdue, this.#rate);
  }

  /** Writes into `#place` what is still to be heard, and how far behind the best arrival that is; a number that is returned is allocated. */
  #measure() {
    let from = this.#head.next;
    let rate = this.#rate;
    let seconds = 0;
    for (let k = 0; k < this.#changes.length; k++) {
      seconds += (this.#changes[k].at - HALF - from) / rate;
      from = this.#changes[k].at;
      rate = this.#changes[k].rate;
    }
    seconds += (this.#buffer.written - (this.#ended ? HALF : 0) - from) / rate;
    const behind = this.#now - this.#media + seconds - this.#arrivals.best;
    this.#place[BUFFERED] = seconds;
    this.#place[BEHIND] = behind > -1e9 ? behind : 0; // nothing has come yet
  }

  /** By whose word the stream is what it is. */
  #decide() {
    const format = this.#override ?? this.#announced;
    this.#meter = format.ground === "assumed" ? new FormatMeter() : null;
    this.#adopt(format);
  }

  /** Changes the format from the next sample on. What is buffered is still played as what it was. */
  #adopt(format) {
    if (!sameFormat(format, this.#format)) {
      this.#buffer.cut();
      this.#pad();
      this.#changes.push({ at: this.#buffer.written, rate: format.sampleRate });
      if (this.mode !== "playing" && this.#head.left <= 0) this.#follow();
    }
    this.#format = format;
    this.#limit();
  }

  /** The byte rate is known: what was decoded by a wrong assumption is noise, not speech, so what of it is unheard stays so. */
  #settle(format) {
    if (!sameFormat(format, this.#format)) {
      this.#discard(this.#buffer.written - this.#pads - this.#head.next);
      this.#arrivals.reset();
      this.mode = "waiting";
      this.#waited = 0;
    }
    this.#meter = null;
    this.#adopt(format);
  }

  /** Samples for the filter, which looks ahead, where a stream ends: it goes on backwards, as `Playhead` does, so that nothing steps. */
  #pad() {
    this.#makeRoom(HALF);
    const { customer, assistant, mask, written } = this.#buffer;
    for (let k = 1; k <= HALF; k++) this.#buffer.write(customer[(written - k) & mask], assistant[(written - k) & mask]);
    this.#pads += HALF;
  }

  #limit() {
    this.#head.limit = this.#changes.length > 0 ? this.#changes[0].at : this.#buffer.written;
  }

  /** Goes on with what comes in the next format. */
  #follow() {
    const { at, rate } = this.#changes.shift();
    this.#pads -= HALF;
    this.#head.moveTo(at);
    this.#hear(rate);
    this.#limit();
  }

  #hear(rate) {
    this.#rate = rate;
    this.#head.step = rate / this.#outRate;
    this.#head.kernel = kernelFor(rate, this.#outRate);
  }

  #makeRoom(samples) {
    const tooMany = this.#buffer.makeRoom(samples, this.#head.read - this.#head.back);
    if (tooMany > 0) this.#discard(tooMany);
  }

  #discard(samples) {
    let rest = samples;
    let read = this.#head.next;
    while (this.#changes.length > 0 && read + rest > this.#changes[0].at - HALF) {
      const here = this.#changes[0].at - HALF - read;
      this.#count.samplesDiscarded += here;
      rest -= here;
      this.#follow();
      read = this.#head.read;
    }
    const count = Math.max(0, Math.min(rest, this.#buffer.written - this.#pads - read));
    this.#count.samplesDiscarded += count;
    this.#head.moveTo(read + count);
  }

  #startWhenDue(samples) {
    if (this.mode === "drained") return;
    const buffered = this.#head.left / this.#rate;
    if (this.#changes.length > 0 && buffered <= 0) return this.#follow();
    if (this.#ended && buffered <= 0) {
      this.mode = "drained";
      return;
    }
    if (this.#buffer.written <= this.#dryAt || buffered <= 0) return;
    this.#waited += samples / this.#outRate;
    const first = this.mode === "waiting" && this.#waited < PAUSE_BEFORE;
    if (!this.#ended && (first || buffered < ENOUGH) && this.#waited < LONG_ENOUGH) return;
    this.mode = "playing";
    this.#waited = 0;
    this.#head.begin();
  }

  #runDry() {
    if (this.#changes.length > 0) return this.#follow();
    if (this.#ended) {
      this.#head.moveTo(this.#buffer.written - HALF);
      this.mode = "drained";
      return;
    }
    this.mode = "gap";
    this.#dryAt = this.#buffer.written;
    this.#head.goBack();
    this.#waited = 0;
  }

  /** Of a quantum, so many samples were real. What is missing before the first sound, or after the last, is nobody's loss. */
  #account(real, wanted) {
    this.#measure();
    this.#count.emitted(real, this.#place, BUFFERED, this.#depth);
    const missed = this.mode === "gap" || (this.mode === "playing" && !this.#ended && this.#changes.length === 0);
    if (missed || real === wanted) this.#count.concealed(wanted - real);
  }
}
