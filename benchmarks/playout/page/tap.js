const SIZE = 16384;

/** Sound of every quantum, with the frame that it began with and the wall clock; `performance` is not known in here. */
class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.begin();
  }

  begin() {
    this.left = new Int16Array(SIZE);
    this.right = new Int16Array(SIZE);
    this.frames = new Float64Array(SIZE / 128);
    this.times = new Float64Array(SIZE / 128);
    this.at = 0;
  }

  process([[left, right]]) {
    this.frames[this.at / 128] = currentFrame;
    this.times[this.at / 128] = Date.now();
    for (let k = 0; left && k < 128; k++) {
      this.left[this.at + k] = Math.max(-32768, Math.min(32767, Math.round(32767 * left[k])));
      this.right[this.at + k] = Math.max(-32768, Math.min(32767, Math.round(32767 * (right ?? left)[k])));
    }
    this.at += 128;
    if (this.at === SIZE) {
      this.port.postMessage({ left: this.left, right: this.right, frames: this.frames, times: this.times });
      this.begin();
    }
    return true;
  }
}

registerProcessor("tap", Tap);
