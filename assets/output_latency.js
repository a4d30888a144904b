/**
 * The delay between an AudioContext and the loudspeaker, where it can be asked for without harm.
 *
 * Firefox on Linux can freeze the tab for good at a read of `outputLatency` or a call of `getOutputTimestamp`: both ask the sound server and
 * wait for it, while they hold a lock that the sound thread needs to answer the server. Nothing else of this player may read either.
 */
const HARMLESS_PLATFORMS = /^(Win|Mac|iP)|Android/;

/**
 * @param {{gecko: boolean, platform: string}} [browser] `gecko`: built on Firefox's engine
 * @returns {boolean} false where asking may freeze the tab
 */
export function mayAskOutputLatency({ gecko, platform } = here()) {
  return !gecko || HARMLESS_PLATFORMS.test(platform);
}

/**
 * Seconds that the device adds, as the browser estimates it; null where it does not say or must not be asked.
 * @param {AudioContext} context
 * @returns {number|null}
 */
export function readOutputLatency(context) {
  if (!mayAskOutputLatency()) return null;
  const { outputLatency, baseLatency } = context;
  return outputLatency === undefined ? null : outputLatency + baseLatency;
}

/** True in a browser that is built on Firefox's engine. */
export function isGecko() {
  return "mozInnerScreenX" in globalThis;
}

function here() {
  const { platform, userAgent } = navigator;
  // Firefox on Android calls its platform "Linux armv81".
  return { gecko: isGecko(), platform: userAgent.includes("Android") ? "Android" : platform };
}
