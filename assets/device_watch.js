/**
 * Finds out why no sound can be heard although it comes: a tap is missing, or the sound device is gone or stands still. Resumes the context
 * when the device is back, and sums up what could not be heard meanwhile. Loaded after what the first sound waits for.
 *
 * @typedef {import("./live_playout.js").Missed} Missed
 */
import { DeviceDoubt } from "./device_doubt.js";
import { isGecko, readOutputLatency } from "./output_latency.js";

const GESTURES = ["pointerdown", "keydown"];
const DEVICE_WAIT_MS = 3000; // the slowest sound device has started by then
const STANDING_MS = 1000; // no device has buffers that long
const PROVEN_S = 0.1; // a context that got a device back has rendered a quantum, and may stand still for 2 s until the device plays it
const LONG_TICK_MS = 1500; // the page itself was held up, so nothing is known about the clock
const FIRST_RETRY_MS = 250; // doubled with each failure,
const MAX_RETRY_MS = 1000; // up to here, so that sound is back within 2 s of the device
const LASTING_MS = 30_000; // a silence of this length may last for hours, and unheard sound must not fill the memory
const SAME_CAUSE_MS = 10_000; // what is missed within this has one cause

export class DeviceWatch {
  /** @type {""|"blocked"|"starting"|"no-device"} why there is no sound; "": there is */
  silence = "";
  /** True if that has lasted so long that sound need not be kept any more. */
  lasting = false;
  #context;
  #onMissed;
  #askedAt = performance.now();
  #heardAt = performance.now();
  #inGesture;
  #time = -1; // above 0, the context has run, perhaps before this was loaded
  #silentAt = 0; // seconds of the context's clock
  #movedAt = 0;
  #tickedAt = 0;
  #retryAt = 0;
  #retryMs = FIRST_RETRY_MS;
  /** @type {Missed & {at: number}} of the last disturbance */
  #missed = { cause: "device", seconds: 0, at: -Infinity };
  #tap = () => this.resume();
  #doubt = new DeviceDoubt(() => this.#restart());

  /**
   * @param {AudioContext} context
   * @param {boolean} inGesture the context was started while the user acted: if it does not run, no tap will help
   * @param {(missed: Missed) => void} onMissed
   */
  constructor(context, inGesture, onMissed) {
    this.#context = context;
    this.#inGesture = inGesture;
    this.#onMissed = onMissed;
    this.tick();
  }

  /** True if sound may not come back into this tab: WebKitGTK plays in new windows only once its sound server has died. */
  get needsWindow() {
    return this.silence === "no-device" && navigator.vendor.startsWith("Apple") && navigator.platform.startsWith("Linux");
  }

  /** Seconds that the device adds; null where the browser does not say. */
  get outputLatency() {
    return readOutputLatency(this.#context);
  }

  /** Call it in a click if a tap is missing. */
  resume() {
    this.#inGesture ||= navigator.userActivation?.isActive ?? false;
    // WebKitGTK hangs for good, and the page with it, in resume() of a context that stands still although it is "running".
    if (this.#context.state === "running") return;
    this.#context.resume().catch(() => {}); // the context's state shows that it was in vain, and `tick` tries again
  }

  /** Looks again. Call it at least twice a second, and when the context's state changes. */
  tick() {
    const now = performance.now();
    const { currentTime, state } = this.#context;
    if (currentTime !== this.#time || now - this.#tickedAt > LONG_TICK_MS) this.#movedAt = now;
    this.#time = currentTime;
    this.#tickedAt = now;
    const proven = this.silence !== "no-device" || currentTime - this.#silentAt > PROVEN_S;
    const running = state === "running" && now - this.#movedAt < STANDING_MS && proven;
    if (running) this.#heardAt = now;
    this.lasting = now - this.#heardAt > LASTING_MS;
    const before = this.silence;
    this.silence = running ? "" : this.#cause(now);
    if (state === "running") this.#retryMs = FIRST_RETRY_MS;
    else if (this.silence === "no-device" && now >= this.#retryAt) this.#retry(now);
    if (!this.silence !== !before) this.#listen(!running);
    if (running) this.#doubt.tick(now);
    if (!before) this.#silentAt = currentTime;
    if (this.silence && !before) this.disturbed(this.silence === "blocked" ? "blocked" : "device");
  }

  /** @param {Missed["cause"]} cause */
  disturbed(cause) {
    const now = performance.now();
    const { cause: before, at } = this.#missed;
    if (now - at < SAME_CAUSE_MS && (before === "sleep" || before === cause)) return; // a sleep also loses the connection and the device
    this.#missed = { cause, seconds: 0, at: now };
  }

  /** @param {number} seconds that could not be heard */
  missed(seconds) {
    this.#missed.seconds += seconds;
    if (this.#missed.cause !== "blocked") this.#onMissed({ cause: this.#missed.cause, seconds: this.#missed.seconds });
  }

  /** Closes the context too: at once, or where it stands still although it is "running", when it moves, since WebKitGTK would hang for good. */
  release() {
    this.#listen(false);
    this.#doubt.release();
    const context = this.#context;
    const { currentTime, state } = context;
    const close = () => context.close().catch(() => {}); // already closed by the browser
    if (state !== "running" || this.silence !== "no-device") return void close();
    const timer = setInterval(() => {
      if (context.currentTime === currentTime) return;
      clearInterval(timer);
      close();
    }, MAX_RETRY_MS);
  }

  /** @param {number} now */
  #cause(now) {
    if (this.#time <= 0 && !this.#inGesture) return "blocked";
    return this.#time > 0 || now - this.#askedAt > DEVICE_WAIT_MS ? "no-device" : "starting";
  }

  /** @param {number} now */
  #retry(now) {
    this.#retryAt = now + this.#retryMs;
    this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
    // Chromium never ends a resume() that failed for want of a device: only suspend() lets it try again. Firefox ends it once there is one,
    // and a device of its that takes long to start would start again and again.
    if (this.#time > 0 && this.#context.state === "suspended" && !isGecko()) this.#restart();
    else this.resume();
  }

  /** Where there is no device, the context does not run after it. */
  #restart() {
    this.#context
      .suspend()
      .then(() => this.resume())
      .catch(() => {}); // closed meanwhile
  }

  /** @param {boolean} on resume in whatever the user does next */
  #listen(on) {
    for (const gesture of GESTURES) {
      if (on) document.addEventListener(gesture, this.#tap, true);
      else document.removeEventListener(gesture, this.#tap, true);
    }
  }
}
