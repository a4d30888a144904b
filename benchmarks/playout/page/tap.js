const SIZE = 16384; // samples per message

/** Records every quantum, with its first frame and the wall clock in ms; there is no `performance` in a worklet. */
class Tap extends AudioWorkletProcessor {
  left = new Int16Array(SIZE);
  right = new Int16Array(SIZE);
  frames = new Float64Array(SIZE / 128);
  times = new Float64Array(SIZE / 128);
  at = 0;

  begin() {
    this.left = new Int16Array(SIZE);
    this.right = new Int16Array(SIZE);
    this.frames = new Float64Array(SIZE / 128);
    this.times = new Float64Array(SIZE / 128);
    this.at = 0;
  }

  /** @param {Float32Array[][]} inputs */
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
