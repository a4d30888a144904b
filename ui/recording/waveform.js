/**
 * Draws a whole recording: how loud it was, how far it has been played, and where it has no sound.
 *
 * @typedef {{part: number, at: number, seconds: number, peaksPerSecond: number, lanes: number[][]}} Part of `peaks.json`; peaks are 0..255
 * @typedef {{at: number, seconds: number}} Hole ends `at`, after `seconds` without sound
 * @typedef {"customer"|"assistant"|"both"} Lane
 */
import { drawMark } from "turn_marks";
import { markUnder } from "turns";

const PITCH_PX = 4; // from bar to bar, as in the lanes of a live call
const BAR_PX = 2.4;

/** One lane of bars for each speaker, strong as far as it was played and pale from there on; a hole is shaded across all lanes. */
export class Waveform {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{parts: Part[], holes: Hole[], seconds: number}} recording
   * @param {Lane[]} speakers one for each lane, from the top
   */
  constructor(canvas, { parts, holes, seconds }, speakers) {
    this.canvas = canvas;
    this.parts = parts;
    this.holes = holes;
    this.seconds = seconds;
    this.speakers = speakers;
    /** @type {Partial<Record<Lane, boolean>>} */
    this.muted = {};
    this.marks = /** @type {import("turns").Mark[]} */ ([]); // in seconds
    this.time = 0; // seconds, played so far
    this.bars = 0;
    this.painted = 0; // bars drawn as played
    this.paint = this.paint.bind(this);
    this.sizes = new ResizeObserver(this.paint);
    this.sizes.observe(canvas);
    this.colorScheme = matchMedia("(prefers-color-scheme: dark)");
    this.colorScheme.addEventListener("change", this.paint);
    this.theme = new MutationObserver(this.paint);
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  release() {
    this.sizes.disconnect();
    this.theme.disconnect();
    this.colorScheme.removeEventListener("change", this.paint);
  }

  /** @param {number} time in seconds: it has been played up to here */
  moveTo(time) {
    this.time = time;
    if (this.playedBars() !== this.painted) this.paint();
  }

  /** @param {import("turns").Mark[]} marks in seconds of the recording */
  setMarks(marks) {
    this.marks = marks;
    this.paint();
  }

  /**
   * The mark at a point of the canvas.
   * @param {number} x CSS pixels
   * @param {number} y CSS pixels
   */
  markAt(x, y) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const tall = height / this.speakers.length;
    const lane = Math.floor(y / tall);
    const own = this.marks.filter(({ speaker }) => speaker === this.speakers[lane]);
    return markUnder(own, (time) => (time / this.seconds) * width, x, (lane + 1) * tall - y);
  }

  /**
   * @param {Lane} who
   * @param {boolean} on
   */
  mute(who, on) {
    this.muted[who] = on;
    this.paint();
  }

  playedBars() {
    return Math.floor((this.time / this.seconds) * this.bars);
  }

  paint() {
    const { canvas, speakers } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !this.parts.length) return;
    const pen = this.clear(width, height);
    if (!pen) return;
    const style = getComputedStyle(canvas);
    const hue = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.bars = Math.max(1, Math.floor(width / PITCH_PX));
    this.painted = this.playedBars();
    for (const hole of this.holes) this.paintHole(pen, hole, width, height, hue);
    speakers.forEach((who, lane) => {
      pen.fillStyle = hue(who === "both" ? "--accent" : `--${who}`);
      this.paintLane(pen, lane, height / speakers.length);
    });
    pen.globalAlpha = 1;
    for (const mark of this.marks) {
      const lane = speakers.indexOf(mark.speaker);
      if (lane < 0) continue;
      pen.fillStyle = hue(mark.interrupts ? "--stop" : `--${mark.speaker}`);
      const [left, right] = [mark.from, mark.to].map((time) => (time / this.seconds) * width);
      drawMark(pen, mark, left, right, ((lane + 1) * height) / speakers.length);
    }
  }

  /**
   * Empties the canvas, at its size on the screen.
   * @param {number} width CSS pixels
   * @param {number} height CSS pixels
   */
  clear(width, height) {
    const { canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall]; // even without a change this would reallocate
    const pen = canvas.getContext("2d");
    pen?.setTransform(scale, 0, 0, scale, 0, 0);
    pen?.clearRect(0, 0, width, height);
    return pen;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} lane
   * @param {number} tall CSS pixels
   */
  paintLane(pen, lane, tall) {
    const middle = tall * (lane + 0.5);
    const strength = this.muted[this.speakers[lane]] ? 0.35 : 1;
    for (let bar = 0; bar < this.bars; bar++) {
      const peak = this.peak(lane, bar);
      if (peak === null) continue;
      const half = Math.max(0.6, Math.sqrt(peak / 255) * (tall / 2 - 6));
      pen.globalAlpha = strength * (bar < this.painted ? 1 : 0.42);
      pen.fillRect(bar * PITCH_PX + 0.8, middle - half, BAR_PX, 2 * half);
    }
  }

  /**
   * The highest peak under a bar; null where nothing was recorded.
   * @param {number} lane
   * @param {number} bar
   * @returns {number|null}
   */
  peak(lane, bar) {
    const [from, to] = [(bar / this.bars) * this.seconds, ((bar + 1) / this.bars) * this.seconds];
    /** @type {number|null} */
    let highest = null;
    for (const { at, seconds, peaksPerSecond, lanes } of this.parts) {
      if (to <= at || from >= at + seconds) continue;
      const peaks = lanes[Math.min(lane, lanes.length - 1)];
      const first = Math.max(0, Math.floor((from - at) * peaksPerSecond));
      const end = Math.max(first + 1, Math.min(peaks.length, Math.ceil((to - at) * peaksPerSecond)));
      for (let k = first; k < end; k++) highest = Math.max(highest ?? 0, peaks[k] ?? 0);
    }
    return highest;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Hole} hole
   * @param {number} width
   * @param {number} height
   * @param {(name: string) => string} hue
   */
  paintHole(pen, { at, seconds }, width, height, hue) {
    const [left, right] = [Math.max(0, at - seconds), at].map((time) => (time / this.seconds) * width);
    pen.fillStyle = hue("--wash");
    pen.fillRect(left, 0, Math.max(2, right - left), height);
    pen.strokeStyle = hue("--edge");
    pen.beginPath();
    for (const x of [left, Math.max(left + 2, right)]) {
      pen.moveTo(Math.round(x) + 0.5, 0);
      pen.lineTo(Math.round(x) + 0.5, height);
    }
    pen.stroke();
  }
}
