/** What `LivePlayout.stats()` says, in words that a person understands. `words` are the page's texts, with gaps such as `{seconds}`. */
import { counted, fill } from "fill";

const IN_STEP = 100; // ppm: what any two quartzes differ by

function number(value, digits) {
  const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(document.documentElement.lang || "en", exact).format(value);
}

/** WebRTC calls a gap from 0.15 s on an interruption; the shorter ones are hardly heard. */
function gaps({ concealmentEvents: count, interruptionCount: long }, words) {
  if (count === 0) return words.noGaps;
  return counted(long === 0 ? words.shortGaps : words.gaps, count);
}

/** "0.05 s behind, no gaps" */
export function behind(stats, words) {
  return fill(words.behind, { seconds: number(stats.delay, 2), gaps: gaps(stats, words) });
}

/** All of it, as pairs of a term and a sentence. */
export function explain(stats, words) {
  const { sampleRate, channels, encoding, ground } = stats.format;
  const rate = stats.outputSampleRate;
  const ppm = Math.round(stats.drift);
  const { reconnects } = stats;
  return [
    [words.delay, fill(words.delayIs, { seconds: number(stats.delay, 2), target: number(stats.targetDelay, 2) })],
    [words.gapsTerm, fill(words.gapsAre, { gaps: gaps(stats, words), seconds: number(stats.concealedSamples / rate, 1) })],
    [
      words.caughtUp,
      fill(words.caughtUpBy, {
        pauses: number(stats.samplesCut / sampleRate, 1),
        speech: number(stats.samplesStretched / sampleRate, 1),
      }),
    ],
    [words.leftOut, fill(words.leftOutIs, { seconds: number(stats.samplesDiscarded / sampleRate, 1) })],
    [
      words.format,
      fill(words.formatIs, {
        rate: number(sampleRate / 1000, sampleRate % 1000 ? 1 : 0),
        channels: channels === 2 ? words.apart : words.together,
        encoding: encoding === "mulaw" ? words.mulaw : words.linear,
        ground: words.grounds[ground],
      }),
    ],
    [words.clock, Math.abs(ppm) < IN_STEP ? words.inStep : fill(ppm > 0 ? words.fast : words.slow, { ppm: Math.abs(ppm) })],
    [words.device, fill(words.deviceIs, { seconds: number(stats.outputLatency, 2), rate: number(rate / 1000, rate % 1000 ? 1 : 0) })],
    [words.connection, reconnects === 0 ? words.neverLost : counted(words.lost, reconnects)],
  ];
}
