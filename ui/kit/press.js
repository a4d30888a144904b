/** A press of a form's button. The server refuses one that reaches it too late. */
export class Press {
  constructor() {
    this.wallMs = Date.now();
    this.steadyMs = performance.now();
    this.button = document.activeElement;
  }

  /** Seconds since the press, by the later of two clocks of this browser: one may be set, the other may stop while a laptop sleeps. */
  age() {
    return Math.max(Date.now() - this.wallMs, performance.now() - this.steadyMs) / 1000;
  }

  /** Gives back the focus, which is lost when the form is disabled. */
  refocus() {
    if (document.activeElement === document.body && this.button instanceof HTMLElement) this.button.focus({ preventScroll: true });
  }
}
