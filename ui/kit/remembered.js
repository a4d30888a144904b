/** What this browser remembers of how somebody listens. Where it may not, as in some private windows, that is the default each time. */

/**
 * @param {string} name
 * @returns {string} "" if nothing is remembered
 */
export function recall(name) {
  try {
    return localStorage.getItem(`earshot-${name}`) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} name
 * @param {string} value "": forget it
 */
export function remember(name, value) {
  try {
    if (value) localStorage.setItem(`earshot-${name}`, value);
    else localStorage.removeItem(`earshot-${name}`);
  } catch (error) {
    console.warn("This browser remembers nothing:", error);
  }
}
