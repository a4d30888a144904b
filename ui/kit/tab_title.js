/**
 * What the browser's tab says: "Live 1:23 · +1 415-555-2671 · Earshot". Whoever works in another tab sees there how the call goes. Two parts
 * of the page contribute: the call on the stage, and its sound, whose state comes before the call's.
 */

/** @typedef {{sound: string, state: string, clock: string, who: string}} Parts each empty where there is nothing to say */

/** @type {Parts} */
const parts = { sound: "", state: "", clock: "", who: "" };
let before = "";

/** @param {Partial<Parts>} changed */
export function nameTab(changed) {
  before ||= document.title;
  Object.assign(parts, changed);
  const state = [parts.sound || parts.state, parts.clock].filter(Boolean).join(" ");
  document.title = [state, parts.who, before].filter(Boolean).join(" · ");
}
