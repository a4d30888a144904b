/** Formats moments (ms since 1970) and durations (seconds) in the reader's own time zone and locale. */

/** @param {number} number */
const pad = (number) => String(number).padStart(2, "0");

/**
 * A duration: `3:08`, from an hour on `1:03:08`.
 * @param {number} seconds
 */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/**
 * The time of day, to the second.
 * @param {number} at
 */
export function exact(at) {
  return format(at, { timeStyle: "medium" });
}

/**
 * The time of day, to the minute; if it is not today, the date instead.
 * @param {number} at
 */
export function brief(at) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  return format(at, today ? { timeStyle: "short" } : { day: "numeric", month: "short" });
}

/**
 * Date and time.
 * @param {number} at
 */
export function moment(at) {
  return format(at, { dateStyle: "medium", timeStyle: "medium" });
}

/**
 * Date and time in full, with the day of the week.
 * @param {number} at
 */
export function whole(at) {
  return format(at, { dateStyle: "full", timeStyle: "medium" });
}

/**
 * @param {number} at
 * @param {Intl.DateTimeFormatOptions} style
 */
function format(at, style) {
  return new Date(at).toLocaleString(undefined, style);
}
