/** The picture of one speaker's last half minute, drawn in the browser from what the sound is, 25 times a second. */
const SHOWN = 30; // seconds of the past in a lane
const LEVELS_PER_SECOND = 25;
const PITCH = 4; // CSS pixels from bar to bar
const SPEAKING = 0.006; // RMS, about -44 dBFS
const HANG = 0.6; // seconds of silence that still belong to a sentence
const STILL_EVERY = 8; // levels per picture where motion is not wanted: about three a second
const MOVING_EVERY = 2;

// what is marked in a lane, as bits
const SPEAKS = 1;
const GAP = 2;
const CATCHES_UP = 4;

/**
 * One speaker's last half minute as bars, newest on the right. Below them a line where this one speaks, above them one where it is
 * played faster; a gap in the sound is a hole in the row of bars, on a wash.
 */
export class Lane {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {"customer"|"assistant"} who
   */
  constructor(canvas, who) {
    this.canvas = canvas;
    this.who = who;
    this.peaks = new Float32Array(SHOWN * LEVELS_PER_SECOND).fill(-1); // -1: no sound came
    this.marks = new Uint8Array(this.peaks.length);
    this.count = 0;
    this.spoke = -Infinity;
    this.heard = false;
    this.width = this.height = 0;
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.fit(contentRect));
    this.sizes.observe(canvas);
  }

  release() {
    this.sizes.disconnect();
  }

  fit({ width, height }) {
    const scale = window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(scale, scale);
    this.paintBars();
  }

  /** @returns {boolean} whether this one speaks */
  add({ peak, rms }, { gap, catchesUp }) {
    const at = this.count++ % this.peaks.length;
    this.heard ||= !gap; // before the first sound nothing is missing
    if (rms > SPEAKING && !gap) this.spoke = this.count;
    const speaks = this.count - this.spoke < HANG * LEVELS_PER_SECOND;
    this.peaks[at] = gap ? -1 : peak;
    this.marks[at] = (speaks ? SPEAKS : 0) | (gap && this.heard ? GAP : 0) | (catchesUp ? CATCHES_UP : 0);
    return speaks;
  }

  paint(still) {
    if (!this.width || this.count % (still ? STILL_EVERY : MOVING_EVERY)) return;
    if (still) this.paintMeter();
    else this.paintBars();
  }

  color() {
    // themes change while a call runs; asking for a style at every picture would cost more than the picture
    if (!this.hue || this.count - this.asked >= LEVELS_PER_SECOND) {
      this.hue = getComputedStyle(this.canvas).getPropertyValue(`--${this.who}`).trim() || "#57534e";
      this.asked = this.count;
    }
    return this.hue;
  }

  paintBars() {
    const { pen, width, height, peaks, marks, count } = this;
    const bars = Math.floor(width / PITCH);
    const perBar = Math.max(1, Math.round(peaks.length / Math.max(1, bars)));
    const newest = Math.floor(count / perBar); // bars lie on a fixed grid of time: they move, and do not change shape as they go
    const shown = ((count % perBar) / perBar) * PITCH; // of the newest, which comes in from the right
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.color();
    for (let bar = 0; bar < bars; bar++) {
      const first = (newest - bar) * perBar;
      const last = Math.min(count, first + perBar);
      if (last <= 0 || first < count - peaks.length) break;
      let [peak, marked] = [-1, 0];
      for (let k = Math.max(0, first); k < last; k++) {
        peak = Math.max(peak, peaks[k % peaks.length]);
        marked |= marks[k % marks.length];
      }
      const left = width - shown - bar * PITCH;
      const age = 1 - 0.65 * (bar / bars);
      this.mark(marked, left, age);
      if (peak < 0) continue;
      const tall = Math.max(1, loudness(peak) * (height / 2 - 5));
      pen.globalAlpha = age;
      pen.fillRect(left, height / 2 - tall, 2.4, 2 * tall);
    }
    pen.globalAlpha = 1;
  }

  mark(marked, left, age) {
    const { pen, height } = this;
    pen.globalAlpha = 0.12 * age;
    if (marked & GAP) pen.fillRect(left, 0, PITCH, height);
    pen.globalAlpha = age;
    if (marked & SPEAKS) pen.fillRect(left, height - 2, PITCH, 2);
    if (marked & CATCHES_UP) pen.fillRect(left, 0, PITCH / 2, 2);
  }

  paintMeter() {
    const { pen, width, height } = this;
    let peak = 0;
    for (let k = 1; k <= STILL_EVERY && k <= this.count; k++) peak = Math.max(peak, this.peaks[(this.count - k) % this.peaks.length]);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.color();
    pen.globalAlpha = 0.25;
    pen.fillRect(0, height / 2 - 2, width, 4);
    pen.globalAlpha = 1;
    pen.fillRect(0, height / 2 - 2, loudness(peak) * width, 4);
  }
}

/** A peak as a height: between amplitude, in which quiet speech is a line, and decibels, in which noise is a wall. */
function loudness(peak) {
  return Math.min(1, Math.sqrt(peak));
}
