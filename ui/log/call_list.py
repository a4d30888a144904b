"""The Python side of ui/log/call_list.js: calls as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

from nicegui.element import Element

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from ui.kit.given import text_of
from ui.kit.markup import set_props
from ui.kit.times import FORMATS, milliseconds
from ui.kit.tone import tone_of
from ui.words import say
from ui.words.calls import number, outcome, who


class Row(TypedDict):
    """What a row shows of a call. `at` and `since` are ms since 1970. `speaker` is a CSS class, `speaks` the same as text.
    `tone` is the CSS class of how it ended."""

    id: str
    number: str
    status: str
    words: str
    running: bool
    inbound: bool
    at: int | None
    since: int | None
    speaker: str
    speaks: str
    fresh: bool
    tone: str


class CallList(Element, component="call_list.js", dependencies=[FORMATS]):
    """Calls `choose` with the id of the call whose row is pressed. Rows sort themselves, newest first."""

    def __init__(self, rows: Sequence[Row], *, choose: Callable[[str], None]) -> None:
        super().__init__()
        set_props(self, initial=list(rows), words={"inbound": say("inbound"), "fresh": say("fresh")})
        self.ids = {row["id"] for row in rows}
        self.on("choose", lambda event: choose(text_of(event)))

    def put(self, rows: Iterable[Row]) -> None:
        """Adds rows, or replaces those of the same calls."""
        rows = list(rows)
        self.ids.update(row["id"] for row in rows)
        self.run_method("put", rows)

    def replace(self, rows: Sequence[Row]) -> None:
        self.ids = {row["id"] for row in rows}
        self.run_method("replace", list(rows))

    def drop(self, ids: Iterable[str]) -> None:
        if gone := self.ids.intersection(ids):
            self.ids -= gone
            self.run_method("drop", list(gone))

    def mark_row(self, call_id: str | None) -> None:
        """Marks the row of the call on the stage; None marks none."""
        self.run_method("mark", call_id)


def row(desk: CallDesk, call: Call, *, fresh: bool = False) -> Row:
    """The row of a call. A `fresh` one is highlighted briefly when it appears. A scheduled one shows when it will begin."""
    scheduled = call.status is CallStatus.SCHEDULED
    speaking = desk.transcripts.speaking(call.id) if call.running else frozenset[str]()
    speaker = "both" if len(speaking) > 1 else next(iter(speaking), "")
    written = number(call) if desk.contacts.name_of(call.to) else ""  # the name is in its place
    return Row(
        id=call.id,
        number=who(desk, call),
        status=call.status.value,
        words=" · ".join(filter(None, (written, call.customer_name, outcome(desk, call)))),
        running=call.running and not scheduled,
        inbound=call.inbound,
        at=milliseconds(call.due_at if scheduled else call.created_at),
        since=milliseconds(call.started_at),
        speaker=speaker,
        speaks=_SPEAKS[speaker]() if speaker else "",
        fresh=fresh,
        tone=tone_of(call),
    )


_SPEAKS = {
    "customer": lambda: say("customer_speaks"),
    "assistant": lambda: say("assistant_speaks"),
    "both": lambda: say("both_speak"),
}
