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


def apply_theme() -> None:
    """For every page, once per process. The player's module comes along, so that a press of Call finds it loaded.

    It is `async`, for otherwise the page itself, a module too, would wait for it.
    """
    sheet = f'<link rel="stylesheet" href="{versioned(STYLE)}">'
    player = f'<script type="module" async src="{versioned("live_playout.js")}"></script>'
    ui.add_head_html(_AT_ONCE + sheet + player, shared=True)
