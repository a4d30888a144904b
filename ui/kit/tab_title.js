/**
 * What the browser's tab says: "Live 1:23 · +1 415-555-2671 · Earshot". Whoever works in another tab sees there how the call goes. Two parts
 * of the page contribute: the call on the stage, and its sound, whose state comes before the call's.
 */

/** @typedef {{sound: string, state: string, clock: string, who: string}} Parts each empty where there is nothing to say */

/** @type {Parts} */
const parts = { sound: "", state: "", clock: "", who: "" };
let before = "";

/** True while the page is shown to a room, which must not see who is called. */
export function isPresenting() {
  return document.documentElement.dataset.presents !== undefined;
}

/** @param {Partial<Parts>} changed */
export function nameTab(changed) {
  before ||= document.title;
  Object.assign(parts, changed);
  const state = [parts.sound || parts.state, parts.clock].filter(Boolean).join(" ");
  const who = isPresenting() ? "" : parts.who;
  document.title = [state, who, before].filter(Boolean).join(" · ");
}
