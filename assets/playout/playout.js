/**
 * Turns the bytes of a live call into sound: buffer, playout delay, pace and mixer behind one class.
 *
 * Pure: no DOM, no clock and no timer, so that a test can feed it arrivals and pull samples. `push` takes what the socket received, `pull`
 * fills what the sound card asks for and allocates nothing. The stream's first channel is the customer, the second the assistant. "Source"
 * samples are counted per channel at the stream's rate, all others at the output's rate.
 *
 * @typedef {"waiting"|"playing"|"gap"|"drained"} Mode waiting: nothing has been played yet. gap: the buffer ran dry. drained: the stream
 *   ended and all of it was played.
 * @typedef {import("./stream_format.js").StartFrame} StartFrame
 */
import { Arrivals } from "./arrivals.js";
import { Counters } from "./counters.js";
import { Depth } from "./depth.js";
import { FormatMeter } from "./format_meter.js";
import { Losses } from "./losses.js";
import { DITHER, Mixer } from "./mixer.js";
import { DRIFT, EXCESS, Pace, SECONDS } from "./pace.js";
import { Stream } from "./stream.js";
import { bytesPerFrame, readOverride, readStartFrame, sameFormat, USUAL_FORMAT } from "./stream_format.js";

// Tuned like depth.js.
const FIRST_WAIT_S = 0.01; // the first sound waits for this, since the next may come as much later
const LONGEST_WAIT_S = 0.05; // playing resumes with `Stream.enough`, or when anything at all has waited for this
const MAX_BEHIND_S = 3; // a listener who stays live skips ahead from here
const SKIP_OVERLAP_S = 0.01; // crossfade over such a skip
const BACKLOG_S = 0.1; // buffered beyond the target after a wake: old sound that came late
// Indices in `#position`
const BUFFERED = 0;
const BEHIND = 1;

/** Plays one stream. A gap loses nothing: TCP delivers everything in the end, and what is late is played faster. */
export class Playout {
  /** @type {Mode} */
  mode = "waiting";
  #outRate;
  #count;
  #stream;
  #mixer;
  #pace;
  #depth = new Depth();
  #arrivals = new Arrivals(this.#depth);
  /** @type {import("./stream_format.js").Format|null} */
  #override = null;
  #announced = USUAL_FORMAT;
  /** @type {FormatMeter|null} */
  #meter = new FormatMeter();
  #received = 0; // seconds of the stream
  /** @type {unknown} what the relay calls the stream; if falsy, no relay counts its bytes */
  #relayed;
  #next = 0; // the relay's number of the next byte
  #losses = new Losses(); // estimates what never came, where no relay counts bytes
  #missed = 0; // seconds that never came
  #skipped = 0; // seconds that were skipped after a wake
  #taken = 0; // seconds of both that `takeUnheard` has returned
  #now = 0; // seconds of output that were pulled
  #dryAt = 0; // number of the next sample when the buffer ran dry
  #waited = 0; // output samples
  #firstWait; // in integers, since V8 allocates fractional numbers in code that seldom runs
  #longestWait;
  #staysLive = false;
  #missing = new Float32Array(128);
  #ahead = new Float64Array(2);
  #position = new Float64Array(2); // seconds: buffered, and behind the earliest possible arrival

  /**
   * @param {number} outRate the output's rate in Hz
   * @param {{dither?: number}} [options] amplitude of the noise that is always there, 0..1
   */
  constructor(outRate, { dither = DITHER } = {}) {
    this.#outRate = outRate;
    this.#firstWait = Math.round(FIRST_WAIT_S * outRate);
    this.#longestWait = Math.round(LONGEST_WAIT_S * outRate);
    this.#count = new Counters(outRate);
    this.#stream = new Stream(outRate);
    this.#mixer = new Mixer(outRate, dither);
    this.#pace = new Pace(this.#stream.buffer, this.#stream.head, this.#mixer.floor);
  }

  /**
   * A start frame came: a new stream, or the same one on a new connection. An incomplete sample will not be completed.
   * @param {StartFrame} [frame]
   */
  start(frame = {}) {
    this.#stream.buffer.dropPartial();
    this.#arrivals.reset();
    /** @type {{stream?: unknown, position?: any}} */
    const { stream, position } = Number.isSafeInteger(frame.position) ? frame : {}; // without the relay, anything may come
    if (!stream || stream !== this.#relayed) {
      // Positions in two streams can't be compared, so what was missed between them is estimated.
      if (this.#received) this.#losses.interrupt();
      this.#next = position;
    }
    this.#relayed = stream;
    this.#announced = readStartFrame(frame);
    this.#chooseFormat();
    this.drop(position - this.#next);
  }

  /** @param {StartFrame|null} format the operator's, which overrides what the stream announces; null: no override */
  setFormat(format) {
    this.#override = readOverride(format);
    this.#chooseFormat();
  }

  /**
   * @param {Uint8Array} bytes a piece of the stream, which may begin and end within a sample
   * @param {number} at when it arrived, in seconds of a clock that goes on while the computer sleeps
   */
  push(bytes, at) {
    const measured = this.#meter?.add(bytes, at);
    if (measured) this.#adoptMeasured(measured);
    this.#next += bytes.length;
    this.#count.bytesReceived += bytes.length;
    const samples = this.#stream.push(bytes);
    if (samples === 0) return;
    const seconds = samples / this.#stream.format.sampleRate;
    this.#count.samplesReceived += samples;
    this.#received += seconds;
    this.#missed += this.#losses.add(at, this.#received);
    this.#arrivals.add(this.#now, this.#received - seconds, this.#received);
  }

  /**
   * The next bytes of the stream were dropped on the way and will not come. Ignored where no relay counts bytes: losses are estimated there.
   * @param {number} bytes how many; anything but a positive whole number is ignored
   */
  drop(bytes) {
    if (!(this.#relayed && Number.isSafeInteger(bytes) && bytes > 0)) return;
    const seconds = bytes / bytesPerFrame(this.#stream.format) / this.#stream.format.sampleRate;
    this.#next += bytes;
    this.#received += seconds; // so that what follows is where it belongs
    this.#missed += seconds;
  }

  /** Nothing more will come. What is buffered is played, then `mode` is "drained". */
  end() {
    if (!this.#stream.ended) this.#stream.end();
  }

  /** Skips to the newest sound, past what nobody could hear, such as what came while the browser allowed no sound. */
  skipToLive() {
    this.#arrivals.reset();
    this.#skip(0);
  }

  /** The output stood still for long, or the computer slept: skips to the newest sound, and finds out what never came. */
  wake() {
    if (!this.#relayed) this.#losses.interrupt(); // a relay counts what it drops: an estimate would count that twice
    this.#depth.retract(); // what came late by this says nothing about the line
    this.#arrivals.reset();
    this.#skipped += this.#skip(0);
  }

  /**
   * Call it now and then for a second after a wake, since old sound may still come in a burst.
   * @param {boolean} hurried the output's clock has run faster than the wall clock since the last call: some devices make up for lost time
   */
  settle(hurried) {
    if (hurried) this.#arrivals.reset();
    this.#skipped += this.#skip(BACKLOG_S);
  }

  /** Seconds that could not be heard since the last call: they never came, or were skipped after a wake. */
  takeUnheard() {
    const before = this.#taken;
    this.#taken = this.#missed + this.#skipped;
    return this.#taken - before;
  }

  /** @param {boolean} on skip ahead when more than 3 s behind; else never lose a word */
  setStayLive(on) {
    this.#staysLive = Boolean(on);
  }

  /**
   * @param {import("./mixer.js").Speaker} speaker
   * @param {number} gain 0..1
   */
  setGain(speaker, gain) {
    this.#mixer.setGain(speaker, gain);
  }

  /** @param {boolean} on both speakers are brought to one loudness; else each is as loud as the call sends it */
  setAutoGain(on) {
    this.#mixer.setAutoGain(on);
  }

  /** @param {boolean} on the customer left and the assistant right; else both in both ears */
  setSpread(on) {
    this.#mixer.setSpread(on);
  }

  /**
   * Fills two channels of the output's next samples.
   * @param {Float32Array} left
   * @param {Float32Array} right of the same length
   */
  pull(left, right) {
    const { head } = this.#stream;
    const wanted = left.length;
    const seconds = wanted / this.#outRate;
    if (this.#missing.length !== wanted) this.#missing = new Float32Array(wanted);
    if (this.mode !== "playing") this.#startWhenDue(wanted);
    let filled = 0;
    let real = 0;
    if (this.mode === "playing") {
      this.#pace.inputs[SECONDS] = seconds;
      this.#steer();
      filled = head.play(left, right, this.#missing);
      real = head.real;
    }
    if (filled < wanted) {
      left.fill(0, filled);
      right.fill(0, filled);
      this.#missing.fill(1, filled);
    }
    if (head.dry && this.mode === "playing") this.#runDry();
    this.#account(real, wanted);
    this.#now += seconds;
    const inCall = this.mode === "gap" || this.mode === "playing";
    if (inCall && (real < wanted || this.#missing[0] > 0)) this.#mixer.comfort(left, right, this.#missing);
    this.#mixer.measure(left, right, real === wanted && this.#missing[0] === 0);
    head.peaksAhead(wanted, this.#ahead);
    this.#mixer.blend(left, right, this.#ahead);
  }

  /**
   * Writes each speaker's peak and RMS, 0..1, since the last call, before any gain.
   * @param {Float32Array} into customer's peak, customer's RMS, assistant's peak, assistant's RMS
   */
  takeLevels(into) {
    this.#mixer.takeLevels(into);
  }

  /** True while it plays faster to get back to the target. */
  get catchesUp() {
    return this.mode === "playing" && this.#pace.accelerating;
  }

  /**
   * Counters under the names of W3C's `RTCInboundRtpStreamStats` where it has one, in output samples; `samples...` are source samples, of
   * which always: received = played + stretched + cut + discarded + buffered. `samplesMissed` never came: they were sent while the connection
   * was lost or the computer slept, so sent = received + missed. `samplesStretched` were left out of speech, one pitch period
   * at a time, `samplesCut` out of pauses. `jitterBufferDelay` and `jitterBufferTargetDelay` are seconds summed over emitted samples.
   * `delay` is in seconds behind the earliest possible arrival, `targetDelay` the delay that is aimed at. `drift` of the sender's clock is
   * in ppm. `gain` is each speaker's automatic gain in dB, `loudness` in LUFS what each had before it in the last 3 s of speech; null: too
   * little was said. `limitedSamples` were played in an ear that the limiter lowered.
   */
  stats() {
    this.#measure();
    const { customer, assistant } = this.#mixer.autoGain;
    const { passed, repeated } = this.#stream.head;
    const { stretched, cut } = this.#pace;
    const ratio = this.#outRate / this.#stream.rate;
    return {
      mode: this.mode,
      format: { ...this.#stream.format },
      outputSampleRate: this.#outRate,
      delay: Math.max(0, this.#position[BEHIND]),
      targetDelay: this.#depth.target,
      drift: this.#arrivals.drift * 1e6,
      gain: { customer: customer.decibels, assistant: assistant.decibels },
      loudness: { customer: customer.loudness, assistant: assistant.loudness },
      limitedSamples: this.#mixer.limited,
      samplesBuffered: this.#stream.buffered,
      samplesPlayed: passed - repeated,
      samplesStretched: stretched,
      samplesCut: cut,
      samplesRepeated: repeated,
      samplesDiscarded: this.#stream.discarded,
      samplesMissed: Math.round(this.#missed * this.#stream.format.sampleRate),
      silentConcealedSamples: this.#count.concealedSamples,
      insertedSamplesForDeceleration: Math.round(repeated * ratio),
      removedSamplesForAcceleration: Math.round((stretched + cut) * ratio),
      ...this.#count,
      totalInterruptionDuration: this.#count.totalInterruptionDuration,
    };
  }

  /**
   * Skips to the newest sound if more than `allowed` seconds are buffered beyond the target.
   * @param {number} allowed
   * @returns {number} seconds that were skipped
   */
  #skip(allowed) {
    this.#measure();
    const excess = this.#position[BUFFERED] - this.#depth.target;
    if (this.#stream.ended || excess <= allowed) return 0;
    this.#arrivals.reset();
    this.#stream.discard(Math.round(excess * this.#stream.rate));
    return excess;
  }

  #steer() {
    this.#measure();
    const { head, rate } = this.#stream;
    const behind = this.#position[BEHIND];
    if (this.#staysLive && behind > MAX_BEHIND_S && !head.splicing) {
      const lag = Math.round(Math.min(behind - this.#depth.target, head.left / rate - 1.1 * SKIP_OVERLAP_S) * rate);
      if (lag > 0) {
        head.splice(lag, SKIP_OVERLAP_S);
        this.#stream.discarded += lag;
      }
    }
    const overdue = !this.#stream.ended && this.#arrivals.overdue(this.#now);
    // It takes two windows to learn how a stream arrives; until then it would be wrong to accelerate, since it may come in bundles.
    this.#pace.inputs[EXCESS] = this.#arrivals.windows < 2 ? 0 : behind - this.#depth.target;
    this.#pace.inputs[DRIFT] = this.#arrivals.drift;
    this.#pace.steer(overdue, rate);
  }

  #measure() {
    this.#stream.measure(this.#position, BUFFERED);
    const behind = this.#now - this.#received + this.#position[BUFFERED] - this.#arrivals.best;
    this.#position[BEHIND] = behind > -1e9 ? behind : 0; // -Infinity before the first arrival
  }

  #chooseFormat() {
    const format = this.#override ?? this.#announced;
    this.#meter = format.ground === "assumed" ? new FormatMeter() : null;
    this.#stream.change(format, this.mode === "playing");
  }

  /**
   * The byte rate has shown the format. What was decoded by a wrong assumption is noise, not speech: the rest of it is not played.
   * @param {import("./stream_format.js").Format} format
   */
  #adoptMeasured(format) {
    if (!sameFormat(format, this.#stream.format)) {
      this.#stream.discard(this.#stream.buffered);
      this.#arrivals.reset();
      this.mode = "waiting";
      this.#waited = 0;
    }
    this.#meter = null;
    this.#stream.change(format, this.mode === "playing");
  }

  /** @param {number} samples of output that will be pulled now */
  #startWhenDue(samples) {
    if (this.mode === "drained") return;
    const stream = this.#stream;
    const buffered = stream.head.left;
    if (stream.changesFormat && buffered <= 0) return stream.follow();
    if (stream.ended && buffered <= 0) {
      this.mode = "drained";
      return;
    }
    if (stream.buffer.written <= this.#dryAt || buffered <= 0) return;
    this.#waited += samples;
    const tooEarly = this.mode === "waiting" && this.#waited < this.#firstWait;
    if (!stream.ended && (tooEarly || buffered < stream.enough) && this.#waited < this.#longestWait) return;
    this.mode = "playing";
    this.#waited = 0;
    stream.head.begin();
  }

  #runDry() {
    const stream = this.#stream;
    if (stream.changesFormat) return stream.follow();
    if (stream.ended) {
      stream.finish();
      this.mode = "drained";
      return;
    }
    this.mode = "gap";
    this.#dryAt = stream.buffer.written;
    stream.head.goBack();
    this.#waited = 0;
  }

  /**
   * Counts what one `pull` played. What is missing before the first sound, or after the last, is no concealment.
   * @param {number} real samples from the stream
   * @param {number} wanted
   */
  #account(real, wanted) {
    this.#measure();
    this.#count.emitted(real, this.#position, BUFFERED, this.#depth);
    const missed = this.mode === "gap" || (this.mode === "playing" && !this.#stream.ended && !this.#stream.changesFormat);
    if (missed || real === wanted) this.#count.concealed(wanted - real);
  }
}
