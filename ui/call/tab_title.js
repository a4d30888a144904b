/** What the browser's tab says while a call is heard: "Live 1:23 · Earshot". */
import { lasting } from "times";

export class TabTitle {
  #before = "";

  /**
   * @param {string} state in words
   * @param {number} since ms since 1970; 0: not known
   */
  show(state, since) {
    this.#before ||= document.title;
    const clock = since ? ` ${lasting((Date.now() - since) / 1000)}` : "";
    document.title = `${state}${clock} · ${this.#before}`;
  }

  /** Restores what the tab said before. */
  release() {
    if (this.#before) document.title = this.#before;
    this.#before = "";
  }
}
