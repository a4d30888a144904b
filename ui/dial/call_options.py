"""Options for a single call: the first message, and the assistant's variables."""

from typing import Any

from nicegui.element import Element

from services.domain.errors import RequestError
from ui.kit.markup import set_props
from ui.words import say

_WORDS = ("more", "changed", "first_message", "first_message_hint", "variables", "variable_name", "variable_value", "add", "remove")
_MAX_VALUE = 4000  # characters
_MAX_VARIABLES = 50


class CallOptions(Element, component="call_options.js"):
    """Fields that the form around them submits. They apply to one call; `empty` clears them."""

    def __init__(self) -> None:
        super().__init__()
        set_props(self, words={word: say(word) for word in _WORDS})

    def empty(self) -> None:
        self.run_method("empty")


def read_options(args: dict[str, Any]) -> dict[str, Any]:
    """First message and variables as the form sent them, as arguments for the desk. Raises RequestError for a value without a name."""
    message = args.get("first_message")
    names, values = ([str(text)[:_MAX_VALUE] for text in args.get(key) or ()][:_MAX_VARIABLES] for key in ("names", "values"))
    variables = {}
    for name, value in zip(names, values, strict=False):
        if name.strip():
            variables[name.strip()] = value
        elif value.strip():
            raise RequestError(say("nameless"))
    return {
        "first_message": message.strip()[:_MAX_VALUE] or None if isinstance(message, str) else None,
        "variable_values": variables,
    }
