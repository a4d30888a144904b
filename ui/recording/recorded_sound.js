/**
 * Plays a recording, whose parts are separate files, as one sound with one time line in seconds.
 *
 * @typedef {{part: number, at: number, seconds: number, file?: string}} Part `file`: its name, unless that is `1.flac`, `2.flac`, ...
 * @typedef {"ended"|"blocked"|"failed"} StopReason
 */
export class RecordedSound {
  /**
   * @param {Part[]} parts at least one
   * @param {object} options
   * @param {(name: string) => string} options.address of a file
   * @param {(reason: StopReason) => void} options.onStop the sound stopped by itself
   */
  constructor(parts, { address, onStop }) {
    this.parts = parts;
    this.address = address;
    this.onStop = onStop;
    this.part = /** @type {Part|null} */ (null);
    this.playing = false;
    this.audio = document.createElement("audio");
    this.audio.preload = "metadata";
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.audio.addEventListener("ended", () => this.next(), { signal });
    this.audio.addEventListener("error", () => this.stop("failed"), { signal });
  }

  release() {
    this.listeners.abort();
    this.audio.pause();
    this.audio.removeAttribute("src"); // or the browser continues to load
    this.audio.load();
  }

  get time() {
    return (this.part?.at ?? 0) + this.audio.currentTime;
  }

  /** @param {number} time */
  seek(time) {
    const part = this.parts.findLast(({ at }) => at <= time) ?? this.parts[0];
    this.enter(part, Math.min(part.seconds, Math.max(0, time - part.at)));
    if (this.playing) this.play();
  }

  /** @param {number} rate 1: normal */
  setSpeed(rate) {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = rate; // the default applies to the next part
  }

  async play() {
    this.playing = true;
    try {
      await this.audio.play();
    } catch (error) {
      const { name } = /** @type {DOMException} */ (error);
      if (name !== "AbortError") this.stop(name === "NotAllowedError" ? "blocked" : "failed"); // a seek or a pause aborts it
    }
  }

  pause() {
    this.playing = false;
    this.audio.pause();
  }

  /** @param {StopReason} reason */
  stop(reason) {
    this.playing = false;
    this.onStop(reason);
  }

  /**
   * @param {Part} part
   * @param {number} [within] seconds from its beginning
   */
  enter(part, within = 0) {
    if (part !== this.part) {
      this.part = part;
      this.audio.src = this.address(part.file ?? `${part.part}.flac`);
    }
    this.audio.currentTime = within;
  }

  next() {
    const next = this.part && this.parts[this.parts.indexOf(this.part) + 1];
    if (!next) return this.stop("ended");
    this.enter(next);
    this.play();
  }
}
