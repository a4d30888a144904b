// Which line begins which turn, and what is marked.
import assert from "node:assert/strict";
import test from "node:test";
import { figuresOf, marksOf, markUnder } from "../../ui/kit/turns.js";

/**
 * @param {"customer"|"assistant"} speaker
 * @param {number} start
 * @param {number} end
 * @param {Partial<import("../../ui/kit/turns.js").Turn>} more
 * @returns {import("../../ui/kit/turns.js").Turn}
 */
const turn = (speaker, start, end, more = {}) => ({
  speaker,
  start,
  end,
  wait: null,
  interrupts: false,
  figure: "",
  text: "",
  short: "",
  ...more,
});
const TURNS = [
  turn("customer", 0, 2000),
  turn("assistant", 3000, 6000, { wait: 1000, figure: "answered after 1.0 s" }),
  turn("customer", 5000, 8000, { interrupts: true, figure: "interrupted the assistant" }),
  turn("assistant", 20_000, 21_000, { figure: "answered at once" }),
];

test("a line that begins a turn has its figure, also if it was heard late, and the next line of the turn has none", () => {
  const lines = [
    { speaker: "customer", at: 700 },
    { speaker: "assistant", at: 3900 },
    { speaker: "assistant", at: 5500 },
    { speaker: "customer", at: 9500 },
    { speaker: "assistant", at: 12_000 },
    { speaker: "assistant", at: 18_500 },
  ];
  assert.deepEqual(figuresOf(lines, TURNS), { 1: "answered after 1.0 s", 3: "interrupted the assistant", 5: "answered at once" });
});

test("answers are spans, interruptions moments, and other turns have no mark", () => {
  assert.deepEqual(
    marksOf(TURNS).map(({ speaker, from, to, interrupts }) => [speaker, from, to, interrupts]),
    [
      ["assistant", 2000, 3000, false],
      ["customer", 5000, 5000, true],
    ],
  );
});

test("a mark is found at the foot of its lane alone, and a little beside it", () => {
  const place = (/** @type {number} */ time) => time / 100;
  const marks = marksOf(TURNS);
  assert.equal(markUnder(marks, place, 17, 7), marks[0]);
  assert.equal(markUnder(marks, place, 15, 7), undefined);
  assert.equal(markUnder(marks, place, 25, 30), undefined);
  assert.equal(markUnder(marks, place, 53, 3), marks[1]);
});
