/** The formats that a listener can choose when a stream sounds wrong, named "16000 2 s16le": rate in Hz, channels, encoding. */

/** @typedef {import("../../../assets/live_playout.js").Format} Format */

export const FORMATS = [8000, 16000, 24000, 44100, 48000].flatMap((rate) => [`${rate} 2 s16le`, `${rate} 1 s16le`]);
FORMATS.push("8000 2 mulaw", "8000 1 mulaw");

/**
 * @param {string} name one of FORMATS
 * @returns {Format}
 */
export function parseFormat(name) {
  const [sampleRate, channels, encoding] = name.split(" ");
  return { sampleRate: Number(sampleRate), channels: channels === "2" ? 2 : 1, encoding: encoding === "mulaw" ? "mulaw" : "s16le" };
}

/**
 * "16 kHz × 2"
 * @param {string} name one of FORMATS
 * @param {Record<string, any>} words the page's texts
 */
export function formatName(name, { mulaw }) {
  const { sampleRate, channels, encoding } = parseFormat(name);
  const kilo = (sampleRate / 1000).toLocaleString(document.documentElement.lang || "en");
  return `${kilo} kHz × ${channels}${encoding === "mulaw" ? ` ${mulaw}` : ""}`;
}
