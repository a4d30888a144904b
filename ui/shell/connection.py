"""What the page says while it has no connection to Earshot, instead of NiceGUI's message."""

from nicegui.element import Element

from services.support.root_path import address
from ui.kit.markup import set_props
from ui.words import say


class Connection(Element, component="connection.js"):
    """Shown by the browser itself, which the server can't reach then. `demo`: active calls may have ended with Earshot.

    A page that was loaded but never gets a connection says what a proxy may do wrong.
    """

    def __init__(self, *, demo: bool) -> None:
        super().__init__()
        detail = say("lost_detail_demo" if demo else "lost_detail")
        words = {key: say(key) for key in ("lost", "proxy", "proxy_detail", "reload")} | {"lost_detail": detail}
        set_props(self, words=words, alive=address("/health/live"))
