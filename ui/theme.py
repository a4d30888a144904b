"""The look of the page, in its head, so that nothing is painted before the colours are known. The look itself is `assets/earshot.css`."""

from nicegui import ui

from ui.assets import versioned


def apply_theme(*, with_login: bool) -> None:
    """For every page, once per process. The player's module comes along, so that a press of Call finds it loaded; `with_login`, also
    what tells an open tab that its session is over.
    """
    ui.add_head_html(
        "<style>:root { color-scheme: light dark }</style>"  # the empty window is dark already while the rest is on its way
        f'<link rel="stylesheet" href="{versioned("earshot.css")}">'
        f'<link rel="stylesheet" href="{versioned("safety.css")}">'
        f'<script type="module" src="{versioned("live_playout.js")}"></script>'
        + (f'<script type="module" src="{versioned("logged_out.js")}"></script>' if with_login else ""),
        shared=True,
    )
