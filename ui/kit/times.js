/** Moments and durations, in the reader's own time zone and way of writing. Moments are in ms since 1970. */
const pad = (number) => String(number).padStart(2, "0");
const format = (at, style) => new Date(at).toLocaleString(undefined, style);

/** How long something lasts: `3:08`, from an hour on `1:03:08`. */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** To the second. */
export function exact(at) {
  return format(at, { timeStyle: "medium" });
}

/** To the minute; the date instead where it is not today's. */
export function brief(at) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  return format(at, today ? { timeStyle: "short" } : { day: "numeric", month: "short" });
}

/** Date and time in full. */
export function whole(at) {
  return format(at, { dateStyle: "full", timeStyle: "medium" });
}
