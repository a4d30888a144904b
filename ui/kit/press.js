/** A press of a form's button. The server refuses one that reaches it too late. */
export class Press {
  constructor() {
    this.wallMs = Date.now();
    this.steadyMs = performance.now();
    this.button = document.activeElement;
  }

  /** When it was, in ms of two clocks of this browser. The server, which gets them with the press, asks what they show by then. */
  get clocks() {
    return [this.wallMs, this.steadyMs];
  }

  /** Gives back the focus, which is lost when the form is disabled. */
  refocus() {
    if (document.activeElement === document.body && this.button instanceof HTMLElement) this.button.focus({ preventScroll: true });
  }
}
