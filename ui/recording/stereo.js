/**
 * Plays each speaker of a recording in an ear of their own: a gain and a place for each channel of a sound.
 *
 * @typedef {"customer"|"assistant"} Speaker
 */
export class Stereo {
  /**
   * Create it in a click, since browsers start sound only there.
   * @param {HTMLAudioElement} audio the customer on the left channel, the assistant on the right
   */
  constructor(audio) {
    this.context = new AudioContext();
    const splitter = this.context.createChannelSplitter(2);
    this.context.createMediaElementSource(audio).connect(splitter);
    this.ears = [this.#ear("customer", splitter, 0), this.#ear("assistant", splitter, 1)];
  }

  /**
   * @param {Record<Speaker, boolean>} muted
   * @param {boolean} spread each speaker in an ear of their own; else both in both
   */
  mix(muted, spread) {
    for (const { speaker, gain, pan, side } of this.ears) {
      gain.gain.value = muted[speaker] ? 0 : 1;
      pan.pan.value = spread ? side : 0;
    }
  }

  resume() {
    return this.context.resume();
  }

  release() {
    return this.context.close();
  }

  /**
   * @param {Speaker} speaker
   * @param {AudioNode} splitter
   * @param {number} channel
   */
  #ear(speaker, splitter, channel) {
    const [gain, pan] = [this.context.createGain(), this.context.createStereoPanner()];
    splitter.connect(gain, channel);
    gain.connect(pan).connect(this.context.destination);
    return { speaker, gain, pan, side: channel === 0 ? -1 : 1 };
  }
}
