"""Options for a single call: the first message, the customer's name, what to do at a voicemail, and the assistant's variables."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui.element import Element

from services.domain.errors import RequestError
from services.domain.voicemail import Voicemail
from ui.kit.markup import set_props
from ui.words import say

_WORDS = (
    *("more", "changed", "first_message", "first_message_hint", "customer_name"),
    *("voicemail", "voicemail_as_set_up", "voicemail_message"),
    *("variables", "variable_name", "variable_value", "add", "remove"),
)
_MAX_VALUE = 4000  # characters
_MAX_NAME = 40  # characters of the customer's name
_MAX_VARIABLES = 50


class CallOptions(Element, component="call_options.js"):
    """Fields that the form around them submits. They apply to one call; `empty` clears them."""

    def __init__(self) -> None:
        super().__init__()
        ways = {f"voicemail_{way.value}": say(f"voicemail_{way.value}") for way in Voicemail}
        set_props(self, words={word: say(word) for word in _WORDS} | ways, ways=[way.value for way in Voicemail], asks=[], squad=False)

    def ask_for(self, variables: Sequence[str], *, squad: bool) -> None:
        """Offers a field for each variable of the assistant or squad that speaks. A squad can't have a first message for one call."""
        set_props(self, asks=list(variables), squad=squad)

    def empty(self) -> None:
        self.run_method("empty")


def read_options(args: Mapping[str, Any], *, squad: bool) -> dict[str, Any]:
    """The options as the form sent them, as arguments for the desk. Raises RequestError for a value without a name, and for a message to
    leave that is empty."""
    voicemail = next((way for way in Voicemail if way == args.get("voicemail")), None)
    left = _text(args.get("voicemail_message"))
    if voicemail is Voicemail.LEAVE_MESSAGE and not left:
        raise RequestError(say("voicemail_empty"))
    return {
        "first_message": None if squad else _text(args.get("first_message")),
        "customer_name": _text(args.get("customer_name"), most=_MAX_NAME),
        "voicemail": voicemail,
        "voicemail_message": left if voicemail is Voicemail.LEAVE_MESSAGE else None,
        "variable_values": _variables(args),
    }


def _variables(args: Mapping[str, Any]) -> dict[str, str]:
    """Those that the assistant's texts ask for, then those that were added by hand."""
    asked = args.get("asked")
    found = {str(name): str(value)[:_MAX_VALUE] for name, value in asked.items()} if isinstance(asked, dict) else {}
    names, values = (_texts(args.get(key)) for key in ("names", "values"))
    for name, value in zip(names, values, strict=False):
        if name.strip():
            found[name.strip()] = value
        elif value.strip():
            raise RequestError(say("nameless"))
    return dict(list(found.items())[:_MAX_VARIABLES])


def _texts(value: Any) -> list[str]:
    return [str(text)[:_MAX_VALUE] for text in value[:_MAX_VARIABLES]] if isinstance(value, list) else []


def _text(value: Any, *, most: int = _MAX_VALUE) -> str | None:
    return value.strip()[:most] or None if isinstance(value, str) else None
