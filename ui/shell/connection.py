"""What the page says while it has no connection to Earshot, in place of NiceGUI's own words."""

from nicegui.element import Element

from ui.kit.markup import set_props
from ui.words import say


class Connection(Element, component="connection.js"):
    """The browser notices by itself: it is not there to be told. `demo`: calls that run may have ended with Earshot."""

    def __init__(self, *, demo: bool) -> None:
        super().__init__()
        detail = say("lost_detail_demo" if demo else "lost_detail")
        set_props(self, words={"lost": say("lost"), "lost_detail": detail, "reload": say("reload")})
