/** A text of the page with its gaps, such as `{seconds}`, filled; one for which there is no value stays. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/** The one of a text's plural `forms` that fits `count` in the page's language, filled with it. */
export function counted(forms, count) {
  const category = new Intl.PluralRules(document.documentElement.lang || "en").select(count);
  return fill(forms[category] ?? forms.other, { count });
}
