const INTERRUPTION_S = 0.15; // WebRTC counts a concealment of at least this as an interruption

/** What was played, counted under the names of W3C's `RTCInboundRtpStreamStats` where it has one. The public fields are the counters. */
export class Counters {
  bytesReceived = 0;
  samplesReceived = 0;
  totalSamplesReceived = 0;
  concealedSamples = 0;
  concealmentEvents = 0;
  interruptionCount = 0;
  jitterBufferDelay = 0;
  jitterBufferTargetDelay = 0;
  jitterBufferEmittedCount = 0;
  #outRate;
  #interruption; // samples. In integers, since V8 allocates fractional numbers in code that seldom runs
  #gap = 0; // samples
  #interrupted = 0; // samples

  /** @param {number} outRate the output's rate in Hz */
  constructor(outRate) {
    this.#outRate = outRate;
    this.#interruption = Math.round(INTERRUPTION_S * outRate);
  }

  /** Seconds of all interruptions together. */
  get totalInterruptionDuration() {
    return this.#interrupted / this.#outRate;
  }

  /**
   * Counts output samples that came from the stream.
   *
   * The seconds buffered come as an array and an index, because V8 allocates a fractional number that is passed as an argument.
   * @param {number} samples
   * @param {Float64Array} position
   * @param {number} buffered index in `position`
   * @param {import("./depth.js").Depth} depth
   */
  emitted(samples, position, buffered, depth) {
    this.jitterBufferDelay += position[buffered] * samples;
    this.jitterBufferTargetDelay += depth.target * samples;
    this.jitterBufferEmittedCount += samples;
    this.totalSamplesReceived += samples;
  }

  /**
   * Counts output samples that replaced missing ones; 0 ends the gap.
   * @param {number} samples
   */
  concealed(samples) {
    const before = this.#gap;
    if (samples === 0) {
      this.#gap = 0;
      return;
    }
    if (before === 0) this.concealmentEvents++;
    this.concealedSamples += samples;
    this.totalSamplesReceived += samples;
    this.#gap = before + samples;
    if (this.#gap < this.#interruption) return;
    const begins = before < this.#interruption;
    if (begins) this.interruptionCount++;
    this.#interrupted += begins ? this.#gap : samples;
  }
}
