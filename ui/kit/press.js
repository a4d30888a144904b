/** A press of a button in a form that may be told to the server too late to count. */
export class Press {
  constructor() {
    this.wall = Date.now();
    this.steady = performance.now();
    this.by = document.activeElement;
  }

  /** Seconds since, by two clocks of this browser alone: one may be set, the other may stop while a laptop sleeps. */
  age() {
    return Math.max(Date.now() - this.wall, performance.now() - this.steady) / 1000;
  }

  /** Gives back the focus that was lost as the form was disabled. */
  refocus() {
    if (document.activeElement === document.body) this.by?.focus({ preventScroll: true });
  }
}
