/**
 * What the system shows of the sound, and its play and pause keys (Media Session), so that somebody can listen while working in another
 * window. They start and stop listening. No key of the system hangs up.
 *
 * Browsers give these keys only to pages that play a media element of more than 5 s, so one plays silence beside the AudioContext.
 */

/** @typedef {{play: () => void, pause: () => void}} Actions */

/** @type {Actions|null} */
let owner = null;
/** @type {HTMLAudioElement|null} */
let silence = null;

/**
 * The keys act on this sound from now on. The latest one has them.
 * @param {Actions} actions
 * @param {string} title who is called
 * @param {string} file address of a sound file of silence
 */
export function takeMediaKeys(actions, title, file) {
  const session = navigator.mediaSession;
  if (!session) return;
  owner = actions;
  session.metadata = new MediaMetadata({ title, artist: "Earshot" });
  session.setActionHandler("play", () => owner?.play());
  session.setActionHandler("pause", () => owner?.pause());
  session.setActionHandler("stop", () => owner?.pause());
  silence ??= Object.assign(new Audio(file), { loop: true });
  setPlaying(actions, true);
}

/**
 * @param {Actions} actions
 * @param {boolean} playing
 */
export function setPlaying(actions, playing) {
  if (owner !== actions || !navigator.mediaSession) return;
  navigator.mediaSession.playbackState = playing ? "playing" : "paused";
  if (playing)
    silence?.play().catch((error) => console.info("The media keys will not work:", error)); // not allowed without a click
  else silence?.pause();
}

/** @param {Actions} actions whose sound is over */
export function leaveMediaKeys(actions) {
  if (owner !== actions || !navigator.mediaSession) return;
  owner = null;
  silence?.pause();
  silence = null;
  navigator.mediaSession.metadata = null;
  navigator.mediaSession.playbackState = "none";
  for (const action of /** @type {MediaSessionAction[]} */ (["play", "pause", "stop"]))
    navigator.mediaSession.setActionHandler(action, null);
}
