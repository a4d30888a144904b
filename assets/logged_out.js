/** Sends a tab whose session has ended to the login page, which says so. Without this it would try to reconnect for ever. */
const root = new URL("../../", import.meta.url).href; // of everything that Earshot serves
const popup = document.getElementById("popup"); // NiceGUI shows it while the page's socket is closed

async function isLoggedOut() {
  try {
    return (await fetch(`${root}api/dialling`, { cache: "no-store" })).status === 401;
  } catch {
    return false; // no network: reconnecting is right
  }
}

if (popup) {
  new MutationObserver(async () => {
    const leaving = "leaving" in document.documentElement.dataset; // somebody logs out in this very tab
    if (popup.ariaHidden === "false" && !leaving && (await isLoggedOut())) {
      location.assign(`${root}login?over=1&next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  }).observe(popup, { attributes: true, attributeFilter: ["aria-hidden"] });
}
