"""The look of the page, in its head, so that nothing is painted before the colours are known. The look itself is `assets/*.css`."""

from nicegui import ui
from nicegui.dependencies import libraries

from services.support.language import THEME_COOKIE
from ui.kit.assets import STYLE, versioned
from ui.kit.press import PRESS
from ui.kit.times import FORMATS
from ui.shell.nicegui_files import ROUTE

# The empty window has its colour while the rest is on its way, and never the other one first.
_AT_ONCE = """<style>:root { color-scheme: light dark }
[data-theme="light"] { color-scheme: light }
[data-theme="dark"] { color-scheme: dark }</style>"""
_CHOSEN = "<script>document.documentElement.dataset.theme = '%s'</script>"


def apply_theme(*, with_login: bool) -> None:
    """For every page, once per process. The player's module comes along, so that a press of Call finds it loaded; `with_login`, also
    what tells an open tab that its session is over.

    They are `async`, for otherwise the page itself, a module too, would wait for them.
    """
    modules = ["live_playout.js", *(["logged_out.js"] if with_login else [])]
    scripts = "".join(f'<script type="module" async src="{versioned(module)}"></script>' for module in modules)
    ui.add_head_html(_AT_ONCE + f'<link rel="stylesheet" href="{versioned(STYLE)}">' + _early() + scripts, shared=True)


def choose_theme() -> None:
    """Gives the page that is being built the colours that its reader chose. In the browser, reading the cookie would hold up the paint."""
    chosen = ui.context.client.request.cookies.get(THEME_COOKIE)
    if chosen in ("light", "dark"):
        ui.add_head_html(_CHOSEN % chosen)


def _early() -> str:
    """What the page's own modules import: the browser would only find out once it has those."""
    urls = [f"libraries/{library.key}" for library in libraries.values() if library.path in (FORMATS, PRESS)]
    return "".join(f'<link rel="modulepreload" href="{ROUTE}/{url}">' for url in ("static/dompurify.mjs", *sorted(urls)))
