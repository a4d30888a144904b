/**
 * What a stream's bytes mean: said by the operator, announced by a start frame, measured, or assumed, in this order of trust.
 *
 * @typedef {object} Format
 * @property {number} sampleRate Hz
 * @property {1|2} channels
 * @property {"s16le"|"mulaw"} encoding
 * @property {"operator"|"start frame"|"measured"|"assumed"} ground on what ground it was decided
 */

/** What Vapi sends on phone calls, and what is assumed of a stream that does not say. @type {Format} */
export const USUAL_FORMAT = { sampleRate: 16000, channels: 2, encoding: "s16le", ground: "assumed" };

const MULAW_NAMES = ["mulaw", "mu-law", "ulaw", "u-law", "pcm_mulaw", "g711_ulaw"];

const possible = (rate, channels) => rate >= 8000 && rate <= 48000 && (channels === 1 || channels === 2);

/**
 * The format that a start frame announces. Anything missing or impossible in it is taken from the usual format, and then it is only
 * assumed, as it is when the frame itself says `"assumed": true`.
 * @param {object} [start] the parsed start frame
 * @returns {Format}
 */
export function readStartFrame(start = {}) {
  const rate = Number(start.sampleRate ?? start.sample_rate);
  const channels = Number(start.channels);
  const whole = possible(rate, channels);
  return {
    sampleRate: whole ? rate : USUAL_FORMAT.sampleRate,
    channels: whole ? channels : USUAL_FORMAT.channels,
    encoding: MULAW_NAMES.includes(String(start.encoding).toLowerCase()) ? "mulaw" : "s16le",
    ground: whole && !start.assumed ? "start frame" : "assumed",
  };
}

/** The operator's word, or null where it names no format that there is. @returns {Format|null} */
export function readOverride(format) {
  const read = readStartFrame(format ?? {});
  return read.ground === "start frame" ? { ...read, ground: "operator" } : null;
}

export const sameFormat = (a, b) => a.sampleRate === b.sampleRate && a.channels === b.channels && a.encoding === b.encoding;

export const bytesPerFrame = ({ channels, encoding }) => channels * (encoding === "mulaw" ? 1 : 2);

/** ITU-T G.711: each mu-law byte as a sample in -1..1. */
export const MULAW = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84;
  return (bits & 0x80 ? -size : size) / 32768;
});

/**
 * Bytes per second, and what comes so fast. Where two formats do, the second is meant if neighbouring 16-bit words are unlike: two
 * people's samples in turn are, one person's are not.
 */
const BYTE_RATES = [
  [8000, [8000, 1, "mulaw"]],
  [16000, [8000, 1, "s16le"], [8000, 2, "mulaw"]],
  [32000, [16000, 1, "s16le"], [8000, 2, "s16le"]],
  [48000, [24000, 1, "s16le"]],
  [64000, [16000, 2, "s16le"]],
  [88200, [44100, 1, "s16le"]],
  [96000, [48000, 1, "s16le"], [24000, 2, "s16le"]],
  [176400, [44100, 2, "s16le"]],
  [192000, [48000, 2, "s16le"]],
];
const ALIKE_WORDS = 0.5; // of neighbouring words: speech at 8 kHz has 0.7 and more, two speakers' words in turn have about 0

/**
 * Finds a format by how fast its bytes come and by how alike neighbouring words are. The first half second is left out, since a stream
 * may open with a burst, and two windows of 1.5 s have to agree, since one may hold a stall's backlog.
 */
export class FormatMeter {
  #opened = null;
  #from = null;
  #bytes = 0;
  #before = null;
  #low = 0; // the first byte of a word that was cut
  #cut = false;
  #last = 0;
  #power = 0;
  #product = 0;

  /**
   * @param {Uint8Array} bytes
   * @param {number} at when they came, in seconds of any steady clock
   * @returns {Format|null} the format, once it is known
   */
  add(bytes, at) {
    this.#compare(bytes);
    this.#opened ??= at;
    if (at - this.#opened < 0.5) return null;
    if (this.#from === null) {
      this.#from = at;
      return null;
    }
    this.#bytes += bytes.length;
    if (at - this.#from < 1.5) return null;
    const found = this.#name(this.#bytes / (at - this.#from));
    const agreed = found !== null && found === this.#before;
    [this.#from, this.#bytes, this.#before] = [at, 0, found];
    return agreed ? { sampleRate: found[0], channels: found[1], encoding: found[2], ground: "measured" } : null;
  }

  #name(rate) {
    const row = BYTE_RATES.find(([usual]) => Math.abs(rate / usual - 1) < 0.04);
    if (!row) return null;
    const [, one, other] = row;
    if (!other) return one;
    if (this.#power === 0) return null; // silence is alike in all of them
    return this.#product > ALIKE_WORDS * this.#power ? one : other;
  }

  #compare(bytes) {
    for (let k = 0; k < bytes.length; k++) {
      if (this.#cut) {
        const word = ((this.#low | (bytes[k] << 8)) << 16) >> 16;
        this.#power += word * word;
        this.#product += word * this.#last;
        this.#last = word;
      } else {
        this.#low = bytes[k];
      }
      this.#cut = !this.#cut;
    }
  }
}
