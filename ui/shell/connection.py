"""What the page says while it has no connection to Earshot, instead of NiceGUI's message."""

from nicegui.element import Element

from ui.kit.markup import set_props
from ui.words import say


class Connection(Element, component="connection.js"):
    """Shown by the browser itself, which the server can't reach then. `demo`: active calls may have ended with Earshot."""

    def __init__(self, *, demo: bool) -> None:
        super().__init__()
        detail = say("lost_detail_demo" if demo else "lost_detail")
        set_props(self, words={"lost": say("lost"), "lost_detail": detail, "reload": say("reload")})
