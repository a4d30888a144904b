/** Who is heard in which ear: the channels of a sound, each with a gain and a place of its own. */
export class Stereo {
  /** Make it in a click, since sound may only start in one. `audio`: the customer on its left channel, the assistant on its right. */
  constructor(audio) {
    const context = (this.context = new AudioContext());
    const splitter = context.createChannelSplitter(2);
    context.createMediaElementSource(audio).connect(splitter);
    this.ears = ["customer", "assistant"].map((who, channel) => {
      const [gain, pan] = [context.createGain(), context.createStereoPanner()];
      splitter.connect(gain, channel);
      gain.connect(pan).connect(context.destination);
      return { who, gain, pan, side: channel ? 1 : -1 };
    });
  }

  /** `muted` by speaker; `spread`: each in an ear of its own, else both in both. */
  mix(muted, spread) {
    for (const { who, gain, pan, side } of this.ears) {
      gain.gain.value = muted[who] ? 0 : 1;
      pan.pan.value = spread ? side : 0;
    }
  }

  resume() {
    return this.context.resume();
  }

  release() {
    return this.context.close();
  }
}
