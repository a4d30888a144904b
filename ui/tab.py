"""The tab: NiceGUI's client of the page for which the code runs."""

from contextlib import suppress

from nicegui import Client as Tab
from nicegui import ui

__all__ = ["Tab", "tab"]


def tab() -> Tab:
    """The tab for which the code runs. Raises RuntimeError outside a page.

    Ask it in handlers that have waited: `ui.context.client` raises if the element that was pressed has been deleted meanwhile.
    """
    for slot in reversed(ui.context.slot_stack):
        with suppress(RuntimeError):  # the element is deleted; below its slot lies one of the tab itself
            return slot.parent.client
    return ui.context.client
