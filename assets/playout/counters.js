const INTERRUPTION = 0.15; // seconds from which WebRTC calls a concealment an interruption

/** What was heard, counted under the names of W3C's `RTCInboundRtpStreamStats` where it has one. Its fields are the counters. */
export class Counters {
  bytesReceived = 0;
  samplesReceived = 0;
  samplesDiscarded = 0;
  totalSamplesReceived = 0;
  concealedSamples = 0;
  concealmentEvents = 0;
  interruptionCount = 0;
  totalInterruptionDuration = 0;
  jitterBufferDelay = 0;
  jitterBufferTargetDelay = 0;
  jitterBufferEmittedCount = 0;
  #outRate;
  #gapLasted = 0; // seconds

  /** @param {number} outRate the output's rate in Hz */
  constructor(outRate) {
    this.#outRate = outRate;
  }

  /** Output samples were heard that are the stream's own, with so many seconds buffered at a target. */
  emitted(samples, place, buffered, depth) {
    this.jitterBufferDelay += place[buffered] * samples; // an array and its index, since a number with a fraction is allocated
    this.jitterBufferTargetDelay += depth.target * samples;
    this.jitterBufferEmittedCount += samples;
    this.totalSamplesReceived += samples;
  }

  /** Output samples were heard in the stream's stead; none: the gap is over. */
  concealed(samples) {
    const before = this.#gapLasted;
    if (samples === 0) {
      this.#gapLasted = 0;
      return;
    }
    if (before === 0) this.concealmentEvents++;
    this.concealedSamples += samples;
    this.totalSamplesReceived += samples;
    this.#gapLasted = before + samples / this.#outRate;
    if (this.#gapLasted < INTERRUPTION) return;
    if (before < INTERRUPTION) this.interruptionCount++;
    this.totalInterruptionDuration += before < INTERRUPTION ? this.#gapLasted : this.#gapLasted - before;
  }
}
