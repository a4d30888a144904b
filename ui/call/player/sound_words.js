/**
 * Explains `LivePlayout.stats()` in words.
 *
 * @typedef {Record<string, any>} Words the page's texts, with gaps such as `{seconds}`
 * @typedef {import("../../../types/messages.js").FromWorklet["stats"] & {outputLatency: number|null, reconnects: number}} Stats
 */
import { counted, fill } from "fill";

const IN_STEP_PPM = 100; // any two quartzes may differ by this

/**
 * @param {number} value
 * @param {number} digits after the decimal point
 */
function number(value, digits) {
  const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(document.documentElement.lang || "en", exact).format(value);
}

/**
 * "+3.5"
 * @param {number} decibels
 */
function gain(decibels) {
  return (decibels > 0.05 ? "+" : "") + number(Math.abs(decibels) < 0.05 ? 0 : decibels, 1);
}

/**
 * WebRTC calls a gap of at least 0.15 s an interruption; shorter ones are hardly heard.
 * @param {{concealmentEvents: number, interruptionCount: number}} stats
 * @param {Words} words
 */
function gaps({ concealmentEvents: count, interruptionCount: long }, words) {
  if (count === 0) return words.noGaps;
  return counted(long === 0 ? words.shortGaps : words.gaps, count);
}

/**
 * "Missed 55 s while this computer slept. They are in the recording."
 * @param {import("../../../assets/live_playout.js").Missed} missed
 * @param {boolean} recorded the call is being recorded
 * @param {Words} words
 */
export function tellMissed({ seconds, cause }, recorded, words) {
  const told = fill(words.missed[cause], { seconds: number(seconds, seconds < 10 ? 1 : 0) });
  return recorded ? `${told} ${words.inRecording}` : told;
}

/**
 * @param {number|null} latency seconds; null: not known
 * @param {string} rate kHz
 * @param {Words} words
 */
function device(latency, rate, words) {
  return latency === null ? fill(words.deviceSilent, { rate }) : fill(words.deviceIs, { seconds: number(latency, 2), rate });
}

/**
 * All figures, as pairs of a term and a sentence.
 * @param {Stats} stats
 * @param {Words} words
 * @returns {[term: string, sentence: string][]}
 */
export function explain(stats, words) {
  const { sampleRate, channels, encoding, ground } = stats.format;
  const rate = stats.outputSampleRate;
  const ppm = Math.round(stats.drift);
  const { reconnects } = stats;
  const { samplesPlayed: heard, samplesStretched: stretched, samplesCut: cut, samplesDiscarded: discarded, samplesMissed: missed } = stats;
  const sent = heard + stretched + cut + discarded + missed; // what is buffered is neither heard nor left out yet
  /** @param {number} samples */
  const seconds = (samples) => number(samples / sampleRate, 2);
  return [
    [words.delay, fill(words.delayIs, { seconds: number(stats.delay, 2), target: number(stats.targetDelay, 2) })],
    [words.gapsTerm, fill(words.gapsAre, { gaps: gaps(stats, words), seconds: number(stats.concealedSamples / rate, 1) })],
    [words.heardTerm, fill(words.heardIs, { heard: seconds(heard), sent: seconds(sent) })],
    [words.caughtUp, fill(words.caughtUpBy, { pauses: seconds(cut), speech: seconds(stretched) })],
    [words.leftOut, fill(words.leftOutIs, { seconds: seconds(discarded + missed), missed: seconds(missed) })],
    [
      words.format,
      fill(words.formatIs, {
        rate: number(sampleRate / 1000, sampleRate % 1000 ? 1 : 0),
        channels: channels === 2 ? words.apart : words.together,
        encoding: encoding === "mulaw" ? words.mulaw : words.linear,
        ground: words.grounds[ground],
      }),
    ],
    [words.gainTerm, fill(words.gainIs, { customer: gain(stats.gain.customer), assistant: gain(stats.gain.assistant) })],
    [words.clock, Math.abs(ppm) < IN_STEP_PPM ? words.inStep : fill(ppm > 0 ? words.fast : words.slow, { ppm: Math.abs(ppm) })],
    [words.device, device(stats.outputLatency, number(rate / 1000, rate % 1000 ? 1 : 0), words)],
    [words.connection, reconnects === 0 ? words.neverLost : counted(words.lost, reconnects)],
  ];
}
