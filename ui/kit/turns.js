/**
 * The turns of a measured conversation: their marks on a lane, and the lines of the transcript that they belong to. Times are in ms.
 *
 * @typedef {object} Turn as ui/words/turns.py has it
 * @property {"customer"|"assistant"} speaker
 * @property {number} start since 1970
 * @property {number} end since 1970
 * @property {number|null} wait how long the answer took
 * @property {boolean} interrupts
 * @property {string} figure stands beside its words
 * @property {string} text explains its mark
 * @property {string} short labels its mark
 *
 * @typedef {object} Mark a span until an answer, or the moment of an interruption
 * @property {boolean} interrupts
 * @property {"customer"|"assistant"} speaker
 * @property {number} from
 * @property {number} to
 * @property {string} text
 * @property {string} short
 */
const NEAR_MS = 2000; // a transcriber's times are off by up to this: it hears a line some time after its first sound
/** At the foot of a lane, in which marks are drawn and pressed. */
export const STRIP_PX = 14;
const REACH_PX = 4; // to both sides of a mark

/**
 * @param {Turn[]} turns
 * @returns {Mark[]}
 */
export function marksOf(turns) {
  return turns
    .filter(({ wait, interrupts }) => wait !== null || interrupts)
    .map(({ speaker, start, wait, interrupts, text, short }) => ({
      interrupts,
      speaker,
      from: start - (wait ?? 0),
      to: start,
      text,
      short,
    }));
}

/**
 * The figure of each line that begins a turn, by the line's place.
 * @param {{speaker: string, at: number}[]} lines
 * @param {Turn[]} turns
 * @returns {Record<number, string>}
 */
export function figuresOf(lines, turns) {
  /** @type {Set<Turn>} */
  const begun = new Set();
  /** @type {Record<number, string>} */
  const figures = {};
  lines.forEach(({ speaker, at }, place) => {
    const away = (/** @type {Turn} */ turn) => Math.max(turn.start - at, at - turn.end, 0);
    const own = turns.filter((turn) => turn.speaker === speaker && away(turn) <= NEAR_MS);
    const turn = own.reduce((best, next) => (!best || away(next) <= away(best) ? next : best), /** @type {Turn|null} */ (null));
    if (!turn || begun.has(turn)) return;
    begun.add(turn);
    if (turn.figure) figures[place] = turn.figure;
  });
  return figures;
}

/**
 * The mark under a point of a lane.
 * @template {{from: number, to: number}} T
 * @param {T[]} marks of this lane
 * @param {(time: number) => number} place of a time, in CSS pixels
 * @param {number} x
 * @param {number} fromBottom how far above the lane's foot, in CSS pixels
 * @returns {T|undefined}
 */
export function markUnder(marks, place, x, fromBottom) {
  if (fromBottom < 0 || fromBottom > STRIP_PX) return undefined;
  return marks.findLast(({ from, to }) => place(from) - REACH_PX <= x && x <= place(to) + REACH_PX);
}
