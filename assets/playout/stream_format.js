/**
 * What a stream's bytes mean: set by the operator, announced by a start frame, measured, or assumed, in this order of trust.
 *
 * @typedef {object} Format
 * @property {number} sampleRate Hz
 * @property {1|2} channels
 * @property {"s16le"|"mulaw"} encoding
 * @property {"operator"|"start frame"|"measured"|"assumed"} ground how it was decided
 *
 * @typedef {{sampleRate: number, channels: 1|2, encoding?: "s16le"|"mulaw"}} Override a format that the operator sets
 * @typedef {{sampleRate?: unknown, sample_rate?: unknown, channels?: unknown, encoding?: unknown, assumed?: unknown,
 *   stream?: unknown, position?: unknown}} StartFrame as it came, unchecked. `position`: number of the next byte of `stream`, from 0
 */

/**
 * What Vapi sends on phone calls, and what is assumed of a stream that does not announce its format.
 * @type {Format}
 */
export const USUAL_FORMAT = { sampleRate: 16000, channels: 2, encoding: "s16le", ground: "assumed" };

const MULAW_NAME = /^(pcm|g711)?m?ulaw$|^pcmu$/;
const LINEAR_NAME = /^(linear|l?pcm)(16)?(le)?$|^(pcm)?s16le$/;
const DECORATION = /^audio\/(x-)?|^x-|;.*|[^a-z0-9]/g;
const MIN_RATE_HZ = 8000;
const MAX_RATE_HZ = 48000;

/**
 * Reads the name of an encoding in any spelling: "mulaw", "audio/x-mulaw", "PCMU".
 * @param {unknown} name
 * @returns {"s16le"|"mulaw"|undefined} undefined: not known
 */
function readEncoding(name = "linear16") {
  const plain = String(name).toLowerCase().replace(/[µμ]/g, "mu").replace(DECORATION, "");
  if (MULAW_NAME.test(plain)) return "mulaw";
  return LINEAR_NAME.test(plain) ? "s16le" : undefined;
}

/**
 * The format that a start frame announces. If rate or channels are missing or impossible, or the encoding is not known, the usual format is
 * assumed, to be measured; a frame may also say itself that its format is `"assumed": true`.
 * @param {StartFrame} [start] the parsed start frame
 * @returns {Format}
 */
export function readStartFrame(start = {}) {
  const sampleRate = Number(start.sampleRate ?? start.sample_rate);
  const channels = Number(start.channels);
  const encoding = readEncoding(start.encoding);
  if (encoding && sampleRate >= MIN_RATE_HZ && sampleRate <= MAX_RATE_HZ && (channels === 1 || channels === 2)) {
    return { sampleRate, channels, encoding, ground: start.assumed ? "assumed" : "start frame" };
  }
  return { ...USUAL_FORMAT, encoding: encoding ?? "s16le" };
}

/**
 * The operator's format, or null if it is not a possible one.
 * @param {StartFrame|null} format
 * @returns {Format|null}
 */
export function readOverride(format) {
  const read = readStartFrame(format ?? {});
  return read.ground === "start frame" ? { ...read, ground: "operator" } : null;
}

/**
 * @param {Format} a
 * @param {Format} b
 */
export function sameFormat(a, b) {
  return a.sampleRate === b.sampleRate && a.channels === b.channels && a.encoding === b.encoding;
}

/** @param {Format} format */
export function bytesPerFrame({ channels, encoding }) {
  return channels * (encoding === "mulaw" ? 1 : 2);
}

/** ITU-T G.711: each mu-law byte as a sample in -1..1. */
export const MULAW = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -size : size) / 32768;
});
