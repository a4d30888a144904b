/** Shows an element in a small window that stays above all others (Document Picture-in-Picture, in Chromium), and brings it back. */
const SIZE = { width: 460, height: 330 };

/** True where the browser has such windows. */
export const canFloat = "documentPictureInPicture" in globalThis;

/**
 * Call it in a click.
 * @param {HTMLElement} element
 * @param {() => void} onReturn the window was closed, and the element is back in its place
 * @returns {Promise<() => void>} brings the element back
 */
export async function float(element, onReturn) {
  const small = await /** @type {DocumentPictureInPicture} */ (globalThis.documentPictureInPicture).requestWindow(SIZE);
  for (const sheet of document.querySelectorAll("link[rel=stylesheet], style")) small.document.head.append(sheet.cloneNode(true));
  small.document.documentElement.className = document.documentElement.className;
  small.document.documentElement.lang = document.documentElement.lang;
  for (const [name, value] of Object.entries(document.documentElement.dataset)) small.document.documentElement.dataset[name] = value;
  small.document.body.className = `${document.body.className} floating`;
  small.document.title = document.title;
  const place = document.createComment("floating");
  element.replaceWith(place);
  small.document.body.append(element);
  small.addEventListener("pagehide", () => {
    place.replaceWith(element);
    onReturn();
  });
  return () => small.close();
}
