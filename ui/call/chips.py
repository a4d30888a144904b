"""The actions on a call as chips for its transcript."""

from typing import TypedDict

from services.desk.calls.timeline import Entry
from services.desk.desk import CallDesk
from services.domain.control import Action
from ui.kit.times import milliseconds
from ui.kit.visitor import is_visitor
from ui.words import say
from ui.words.calls import named
from ui.words.who import who_name

QUOTED = (Action.SAY, Action.ADD_MESSAGE)
"""The actions whose detail is what was said or written."""


class Chip(TypedDict):
    """One action. `at` is in ms since 1970. `by` is empty if somebody on the page did it, as is usual."""

    at: int | None
    did: str
    detail: str
    quoted: bool
    came: str
    refused: bool
    by: str


def chip(desk: CallDesk, entry: Entry) -> Chip:
    """What the transcript shows of an action."""
    refused = entry.outcome == "refused"
    return Chip(
        at=milliseconds(entry.at),
        did=say(f"did_{entry.action}"),
        detail=named(desk, entry.detail) if entry.detail else "",
        quoted=entry.action in QUOTED,
        came=say("refused", why=entry.words) if refused else say("taken"),
        refused=refused,
        by="" if is_visitor(entry.who) else say("by", who=who_name(entry.who)),
    )
