"""The look of the page, in its head, so that nothing is painted before the colours are known. The look itself is `assets/*.css`."""

from nicegui import ui

from services.language import THEME_COOKIE
from ui.assets import STYLE, versioned

# The empty window has its colour while the rest is on its way, and never the other one first.
_AT_ONCE = f"""<style>:root {{ color-scheme: light dark }}
[data-theme="light"] {{ color-scheme: light }}
[data-theme="dark"] {{ color-scheme: dark }}</style>
<script>{{ const chosen = document.cookie.match(/(?:^|; ){THEME_COOKIE}=(light|dark)/);
if (chosen) document.documentElement.dataset.theme = chosen[1]; }}</script>"""


def apply_theme(*, with_login: bool) -> None:
    """For every page, once per process. The player's module comes along, so that a press of Call finds it loaded; `with_login`, also
    what tells an open tab that its session is over.

    They are `async`, for otherwise the page itself, a module too, would wait for them.
    """
    modules = ["live_playout.js", *(["logged_out.js"] if with_login else [])]
    scripts = "".join(f'<script type="module" async src="{versioned(module)}"></script>' for module in modules)
    ui.add_head_html(_AT_ONCE + f'<link rel="stylesheet" href="{versioned(STYLE)}">' + scripts, shared=True)
