/** Draws one speaker's last half minute from the levels that the player reports 25 times a second. */
import { drawMark } from "turn_marks";
import { markUnder } from "turns";

const SHOWN_S = 30;
const LEVELS_HZ = 25; // as in assets/playout_worklet.js
const PITCH_PX = 4; // from bar to bar
const BAR_PX = 2.4;
const SPEAKING_RMS = 0.006; // about -44 dBFS: above a telephone line's noise, below quiet speech
const HANGOVER_S = 0.6; // a pause of this length still belongs to a sentence
const REDUCED_MOTION_EVERY = 8; // levels per picture: about three pictures a second
const PAINT_EVERY = 2;
const FIGURE_EVERY = 6; // levels: figures that change faster can't be read
const SILENT_RMS = 1e-4; // -80 dBFS

// marks of a level, as bits
const SPEAKS = 1;
const GAP = 2;
const CATCHES_UP = 4;

/**
 * One speaker's last half minute as bars, the newest on the right. A line below them marks speech, one above them marks faster playing. A gap
 * in the sound is a shaded hole in the row of bars. What was measured of the turns is marked at the foot: a thin span until an answer, a
 * diamond where somebody interrupts.
 */
export class Lane {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {"customer"|"assistant"} who
   */
  constructor(canvas, who) {
    this.canvas = canvas;
    this.who = who;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.peaks = new Float32Array(SHOWN_S * LEVELS_HZ).fill(-1); // -1: no sound
    this.marks = new Uint8Array(this.peaks.length);
    this.times = new Float64Array(this.peaks.length); // when the sound of each level came, in ms of performance.now()
    this.turnMarks = /** @type {import("turns").Mark[]} */ ([]); // with the same times
    this.count = 0; // levels so far
    this.spokeAt = -Infinity; // count at the last speech
    this.started = false; // any sound has been played
    this.figure = ""; // the loudest level of the last quarter second, such as "−18 dBFS"
    this.loudest = 0; // RMS since that figure
    this.hue = this.alarm = "";
    this.hueReadAt = 0; // count
    this.width = this.height = 0; // CSS pixels
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.fit(contentRect));
    this.sizes.observe(canvas);
  }

  release() {
    this.sizes.disconnect();
  }

  /** @param {DOMRectReadOnly} size */
  fit({ width, height }) {
    const scale = window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.pen.scale(scale, scale);
    this.paintBars();
  }

  /**
   * @param {{peak: number, rms: number}} level
   * @param {{gap: boolean, catchesUp: boolean}} sound
   * @param {number} cameAt ms of performance.now()
   * @returns {boolean} true while this one speaks
   */
  add({ peak, rms }, { gap, catchesUp }, cameAt) {
    const at = this.count++ % this.peaks.length;
    this.started ||= !gap; // before the first sound nothing is missing
    if (rms > SPEAKING_RMS && !gap) this.spokeAt = this.count;
    const speaks = this.count - this.spokeAt < HANGOVER_S * LEVELS_HZ;
    this.loudest = Math.max(this.loudest, rms);
    if (this.count % FIGURE_EVERY === 0) {
      this.figure = gap || this.loudest < SILENT_RMS ? "" : `${Math.round(20 * Math.log10(this.loudest))} dBFS`.replace("-", "−");
      this.loudest = 0;
    }
    this.peaks[at] = gap ? -1 : peak;
    this.times[at] = cameAt;
    this.marks[at] = (speaks ? SPEAKS : 0) | (gap && this.started ? GAP : 0) | (catchesUp ? CATCHES_UP : 0);
    return speaks;
  }

  /** @param {boolean} reducedMotion */
  paint(reducedMotion) {
    if (!this.width || this.count % (reducedMotion ? REDUCED_MOTION_EVERY : PAINT_EVERY)) return;
    if (reducedMotion) this.paintMeter();
    else this.paintBars();
  }

  color() {
    // The theme may change during a call. Once a second is enough: reading the style costs more than painting.
    if (!this.hue || this.count - this.hueReadAt >= LEVELS_HZ) {
      const style = getComputedStyle(this.canvas);
      this.hue = style.getPropertyValue(`--${this.who}`).trim() || "#57534e";
      this.alarm = style.getPropertyValue("--stop").trim() || "#b91c1c";
      this.hueReadAt = this.count;
    }
    return this.hue;
  }

  paintBars() {
    const { pen, width, height, peaks, marks, count } = this;
    const bars = Math.floor(width / PITCH_PX);
    const perBar = this.perBar();
    const newest = Math.floor(count / perBar); // bars lie on a fixed time grid, so that they keep their shape as they move
    const shown = ((count % perBar) / perBar) * PITCH_PX; // of the newest, which enters from the right
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
      const left = width - shown - bar * PITCH_PX;
      const age = 1 - 0.65 * (bar / bars);
      this.mark(marked, left, age);
      if (peak < 0) continue;
      const tall = Math.max(1, loudness(peak) * (height / 2 - 5));
      pen.globalAlpha = age;
      pen.fillRect(left, height / 2 - tall, BAR_PX, 2 * tall);
    }
    pen.globalAlpha = 1;
    for (const one of this.turnMarks) {
      pen.fillStyle = one.interrupts ? this.alarm : this.hue;
      drawMark(pen, one, this.placeOf(one.from), this.placeOf(one.to), height - 2);
    }
  }

  /** How many levels a bar shows. */
  perBar() {
    return Math.max(1, Math.round(this.peaks.length / Math.max(1, Math.floor(this.width / PITCH_PX))));
  }

  /**
   * Where a time is shown, in CSS pixels; what is over is left of the lane.
   * @param {number} time ms of performance.now()
   */
  placeOf(time) {
    const oldest = Math.max(0, this.count - this.times.length);
    let level = this.count - 1;
    while (level >= oldest && this.times[level % this.times.length] > time) level--;
    return level < oldest ? -100 : this.width - ((this.count - 1 - level) / this.perBar()) * PITCH_PX;
  }

  /**
   * What the mark at a point of the canvas means; empty if there is none.
   * @param {number} x CSS pixels
   * @param {number} y CSS pixels
   */
  explain(x, y) {
    return markUnder(this.turnMarks, (time) => this.placeOf(time), x, this.height - 2 - y)?.text ?? "";
  }

  /**
   * @param {number} marked
   * @param {number} left
   * @param {number} age 1: new, 0: gone
   */
  mark(marked, left, age) {
    const { pen, height } = this;
    pen.globalAlpha = 0.12 * age;
    if (marked & GAP) pen.fillRect(left, 0, PITCH_PX, height);
    pen.globalAlpha = age;
    if (marked & SPEAKS) pen.fillRect(left, height - 2, PITCH_PX, 2);
    if (marked & CATCHES_UP) pen.fillRect(left, 0, PITCH_PX / 2, 2);
  }

  paintMeter() {
    const { pen, width, height } = this;
    let peak = 0;
    for (let k = 1; k <= REDUCED_MOTION_EVERY && k <= this.count; k++)
      peak = Math.max(peak, this.peaks[(this.count - k) % this.peaks.length]);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.color();
    pen.globalAlpha = 0.25;
    pen.fillRect(0, height / 2 - 2, width, 4);
    pen.globalAlpha = 1;
    pen.fillRect(0, height / 2 - 2, loudness(peak) * width, 4);
  }
}

/**
 * A peak's height, 0..1. The square root lies between amplitude, which shows quiet speech as a line, and decibels, which show noise as a wall.
 * @param {number} peak
 */
function loudness(peak) {
  return Math.min(1, Math.sqrt(peak));
}
