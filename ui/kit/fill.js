/**
 * Fills the gaps of a text, such as `{seconds}`. A gap without a value stays.
 * @param {string} text
 * @param {Record<string, string|number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (gap, name) => String(values[name] ?? gap));
}

/**
 * Fills the plural form of a text that fits `count` in the page's language.
 * @param {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} forms
 * @param {number} count
 */
export function counted(forms, count) {
  const category = new Intl.PluralRules(document.documentElement.lang || "en").select(count);
  return fill(forms[category] ?? forms.other, { count });
}
