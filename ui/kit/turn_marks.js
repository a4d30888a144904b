/** Draws the marks of turns on a lane. */
import { STRIP_PX } from "turns";

const LABEL_PX = 30; // a span as wide as this has room for its label

/**
 * Draws a mark in the colour that is set.
 * @param {CanvasRenderingContext2D} pen
 * @param {{interrupts: boolean, short: string}} mark
 * @param {number} left CSS pixels, as all of these
 * @param {number} right
 * @param {number} bottom of the lane
 */
export function drawMark(pen, { interrupts, short }, left, right, bottom) {
  const middle = bottom - STRIP_PX / 2;
  if (interrupts) {
    pen.beginPath();
    for (const [x, y] of [
      [0, -5],
      [5, 0],
      [0, 5],
      [-5, 0],
    ])
      pen.lineTo(left + x, middle + y);
    pen.fill();
    return;
  }
  pen.fillRect(left, middle - 0.5, Math.max(1, right - left), 1);
  for (const x of [left, right]) pen.fillRect(x - 0.5, middle - 4, 1, 8);
  if (right - left < LABEL_PX) return;
  pen.font = "600 10px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.fillText(short, (left + right) / 2, middle - 3);
}
