"""The tab: NiceGUI's client of the page for which the code runs."""

from contextlib import suppress

from nicegui import Client as Tab
from nicegui import ui

__all__ = ["Tab", "tab"]


def tab() -> Tab:
    """The tab for which the code runs, also where the element that was pressed is gone by now: `ui.context.client` raises for that. A
    handler that waited may be such code, if a second press or another tab did the same meanwhile. Raises RuntimeError outside a page.
    """
    for slot in reversed(ui.context.slot_stack):
        with suppress(RuntimeError):  # its element was deleted, and with it the way to its tab: the slot below is the tab's own
            return slot.parent.client
    return ui.context.client
