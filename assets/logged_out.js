/** A tab whose session has ended leads to the login, which says so; without this it would try to reconnect for ever. */
const popup = document.getElementById("popup"); // NiceGUI's, shown while the page's socket is closed

async function isLoggedOut() {
  try {
    return (await fetch("/api/dialling", { cache: "no-store" })).status === 401;
  } catch {
    return false; // no network: reconnecting is right
  }
}

new MutationObserver(async () => {
  if (popup.ariaHidden === "false" && (await isLoggedOut())) {
    location.assign("/login?over=1&next=" + encodeURIComponent(location.pathname + location.search));
  }
}).observe(popup, { attributes: true, attributeFilter: ["aria-hidden"] });
