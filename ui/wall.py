"""The running calls for a room."""

from nicegui import ui

from services.desk.desk import CallDesk
from services.settings import Settings
from ui.fleet.fleet import Fleet
from ui.kit.markup import Box, Text
from ui.shell.connection import Connection
from ui.words import say


def show_wall(desk: CallDesk, settings: Settings) -> None:
    """Fills the page with the fleet: no controls, numbers masked; what was said last is shown. It follows the calls by itself."""
    with ui.context.client.content.classes(replace="desk wall"):
        with Box("h1", "mark"):
            Text("span", say("product"))
            mode = "not_ready" if settings.missing else "demo_line" if settings.demo else "live"
            with Box("span", f"pill {mode}"):
                Box("i", "dot")
                Text("b", say(mode))
        Fleet(desk=desk, for_a_room=True)
        Connection(demo=settings.demo)
