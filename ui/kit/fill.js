/** A text of the page with its gaps, such as `{seconds}`, filled; one for which there is no value stays. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}
