/** The sound of a recording, whose parts are files of their own, as one sound on one line of time, in seconds. */
export class RecordedSound {
  /**
   * @param {{part: number, at: number, seconds: number}[]} parts
   * @param {{address: (name: string) => string, onStop: (why: "ended"|"blocked"|"failed") => void}} options where a file is, and who
   * hears that the sound stopped by itself
   */
  constructor(parts, { address, onStop }) {
    Object.assign(this, { parts, address, onStop });
    this.part = null;
    this.playing = false;
    this.audio = document.createElement("audio");
    this.audio.preload = "metadata";
    this.heard = new AbortController();
    const { signal } = this.heard;
    this.audio.addEventListener("ended", () => this.next(), { signal });
    this.audio.addEventListener("error", () => this.stop("failed"), { signal });
  }

  release() {
    this.heard.abort();
    this.audio.pause();
    this.audio.removeAttribute("src"); // or the browser goes on loading
    this.audio.load();
  }

  get time() {
    return this.part.at + this.audio.currentTime;
  }

  seek(time) {
    const part = this.parts.findLast(({ at }) => at <= time) ?? this.parts[0];
    this.enter(part, Math.min(part.seconds, Math.max(0, time - part.at)));
    if (this.playing) this.play();
  }

  setSpeed(rate) {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = rate; // the default is what a part begins with
  }

  async play() {
    this.playing = true;
    try {
      await this.audio.play();
    } catch (error) {
      // what interrupts it by seeking or by pausing has it play again, or not
      if (error.name !== "AbortError") this.stop(error.name === "NotAllowedError" ? "blocked" : "failed");
    }
  }

  pause() {
    this.playing = false;
    this.audio.pause();
  }

  stop(why) {
    this.playing = false;
    this.onStop(why);
  }

  enter(part, within = 0) {
    if (part !== this.part) {
      this.part = part;
      this.audio.src = this.address(`${part.part}.flac`);
    }
    this.audio.currentTime = within;
  }

  next() {
    const after = this.parts[this.parts.indexOf(this.part) + 1];
    if (!after) return this.stop("ended");
    this.enter(after);
    this.play();
  }
}
