"""What the page says while it has no connection to Earshot, in place of NiceGUI's own words."""

from nicegui.element import Element

from ui.assets import ASSETS
from ui.markup import set_props
from ui.words import say

_WORDS = ("lost", "lost_detail", "reload")


class Connection(Element, component=ASSETS / "connection.js"):
    """The browser notices by itself: it is not there to be told."""

    def __init__(self) -> None:
        super().__init__()
        set_props(self, words={word: say(word) for word in _WORDS})
