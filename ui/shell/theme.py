"""Style sheets and scripts in the page's head, so that the colours are known before the first paint."""

from nicegui import ui
from nicegui.dependencies import libraries

from services.support.language import THEME_COOKIE
from services.support.root_path import address
from ui.kit.assets import FONT, STYLE, versioned
from ui.kit.assets import ROUTE as ASSETS_ROUTE
from ui.kit.press import PRESS
from ui.kit.times import FORMATS
from ui.shell.nicegui_files import ROUTE

# Colours the empty window while the style sheet loads, so that it never flashes in the other scheme.
_AT_ONCE = """<style>:root { color-scheme: light dark }
[data-theme="light"] { color-scheme: light }
[data-theme="dark"] { color-scheme: dark }</style>"""
# As an application of its own. There is no service worker: an old state must never look like a live one.
_INSTALLABLE = """<link rel="manifest" href="{assets}/earshot.webmanifest" crossorigin="use-credentials">
<link rel="apple-touch-icon" href="{assets}/icons/192.png">
<meta name="theme-color" content="#f6f6f3" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0e1116" media="(prefers-color-scheme: dark)">"""
_CHOSEN = "<script>document.documentElement.dataset.theme = '%s'</script>"


def apply_theme(*, with_login: bool) -> None:
    """For every page, once per process. Loads the player early, so that a press of Call finds it ready; `with_login` also loads the script
    that notices a log-out in another tab.

    The scripts are `async`, since the page itself is a module and would wait for them.
    """
    modules = ["live_playout.js", *(["logged_out.js"] if with_login else [])]
    scripts = "".join(f'<script type="module" async src="{versioned(module)}"></script>' for module in modules)
    style = f'<link rel="stylesheet" href="{versioned(STYLE)}">'
    font = f'<link rel="preload" href="{versioned(FONT)}" as="font" type="font/woff2" crossorigin>'
    installable = _INSTALLABLE.format(assets=address(ASSETS_ROUTE))
    ui.add_head_html(_AT_ONCE + style + font + _early() + scripts + installable, shared=True)


def choose_theme() -> None:
    """Sets the colours that the reader chose for the page being built. Reading the cookie in the browser would delay the first paint."""
    chosen = ui.context.client.request.cookies.get(THEME_COOKIE)
    if chosen in ("light", "dark"):
        ui.add_head_html(_CHOSEN % chosen)


def _early() -> str:
    """Preloads what the page's modules import, which the browser would only discover after loading them."""
    urls = [f"libraries/{library.key}" for library in libraries.values() if library.path in (FORMATS, PRESS)]
    return "".join(f'<link rel="modulepreload" href="{address(ROUTE)}/{url}">' for url in ("static/dompurify.mjs", *sorted(urls)))
