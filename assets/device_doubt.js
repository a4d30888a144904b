/**
 * Suspects that the browser plays on into nothing: the clock of its context runs on although the sound device is gone. Firefox on Linux does
 * that always, Chromium at times.
 *
 * Firefox starts a second context only once a device plays, at once where one does: one is stopped and started again each second. It shares
 * the first one's device, and costs none of its own. The others list their devices, of which there are none once the sound server has died.
 * Chromium's list stays empty when it is back, so that nothing follows from an empty list but the doubt.
 */
import { isGecko } from "./output_latency.js";

const ASK_MS = 1000;
const ANSWER_MS = 1000; // Firefox needs some 20 ms where there is a device

export class DeviceDoubt {
  #onDoubt;
  #pending = false;
  #askedAt = -Infinity;
  #known = false; // the last answer was a device: only what there was can be lost
  /** @type {AudioContext|null} */
  #spare = null;
  #released = false;

  /** @param {() => void} onDoubt the device may be gone; called once for each loss */
  constructor(onDoubt) {
    this.#onDoubt = onDoubt;
  }

  /**
   * Asks again, about once a second. Call it while sound seems to play.
   * @param {number} now ms
   */
  tick(now) {
    if (this.#pending || now - this.#askedAt < ASK_MS) return;
    this.#askedAt = now;
    this.#pending = true;
    this.#ask().catch((error) => console.warn("A sound device that is lost in silence will not be noticed:", error)); // and stays pending
  }

  release() {
    this.#released = true;
    this.#spare?.close().catch(() => {}); // already closed by the browser
  }

  async #ask() {
    const there = await (isGecko() ? this.#startSpare() : isListed());
    this.#pending = false;
    const lost = this.#known && !there;
    this.#known = there;
    if (lost && !this.#released) this.#onDoubt();
  }

  async #startSpare() {
    this.#spare ??= new AudioContext();
    const spare = this.#spare;
    await spare.suspend();
    const late = new Promise((resolve) => setTimeout(() => resolve(false), ANSWER_MS));
    return Promise.race([spare.resume().then(() => true), late]);
  }
}

async function isListed() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some(({ kind }) => kind === "audiooutput");
}
