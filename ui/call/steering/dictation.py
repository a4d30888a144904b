"""The Python side of ui/call/steering/dictation.js: a button that is held to dictate into the field beside it."""

from nicegui.element import Element

from ui.kit.icons import icon
from ui.kit.markup import set_props
from ui.words import say


class Dictation(Element, component="dictation.js"):
    """Stands in an element of the class `ask`, beside the field. Nothing is sent to the server."""

    def __init__(self) -> None:
        super().__init__()
        set_props(self, words={name: say(f"dictation_{name}") for name in ("dictate", "hears", "forbidden", "failed")})
        with self:
            icon("unmute")
