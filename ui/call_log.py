"""The list of calls: those that run and those that are over, newest first. A row is a button that puts its call on the stage."""

from collections.abc import Callable

from services.call import Call
from services.desk import CallDesk
from ui.call_words import number, outcome
from ui.markup import Box, Text, set_props
from ui.times import CallClock, LocalTime
from ui.words import say

_MOST_EARLIER = 50  # rows: older calls stay with Vapi


class CallLog:
    """`select` is given the id of the call whose row is pressed."""

    def __init__(self, *, desk: CallDesk, select: Callable[[str], None]) -> None:
        self._desk = desk
        self._select = select
        self._selected: str | None = None
        self._rows: dict[str, _Row] = {}
        with Box("section", "card log", aria_label=say("calls_list"), data_testid="call-log"):
            self._running = _part(say("running"))
            self._earlier = _part(say("earlier"))
            with Box(classes="nothing") as self._nothing:
                Text("b", say("no_calls_title"))
                Text("p", say("no_calls"))
        calls = desk.calls()
        over = [call for call in calls if not call.running]
        for call in reversed([call for call in calls if call.running] + over[:_MOST_EARLIER]):
            self.update(call)
        self._tidy()

    def update(self, call: Call) -> None:
        """Takes in what changed about one call, and touches no other row."""
        row = self._rows.get(call.id)
        if row is None:
            with self._home(call):
                row = self._rows[call.id] = _Row(call, self._select)
            row.item.move(target_index=0)
        elif call.running is not row.running:
            row.item.move(self._home(call), target_index=0)
        row.update(call, outcome(self._desk, call), selected=call.id == self._selected)
        self._tidy()

    def mark(self, call_id: str | None) -> None:
        """Marks the row of the call that is on the stage."""
        for changed in (self._selected, call_id):
            if changed in self._rows:
                self._rows[changed].mark(changed == call_id)
        self._selected = call_id

    def _home(self, call: Call) -> Box:
        return self._running if call.running else self._earlier

    def _tidy(self) -> None:
        """Rows go whose call is known under another id by now, or is too long ago; headings go that have no rows."""
        gone = [call_id for call_id in self._rows if (call := self._desk.get(call_id)) is None or call.id != call_id]
        over = [call_id for call_id, row in self._rows.items() if not row.running]
        for call_id in {*gone, *over[: max(0, len(over) - _MOST_EARLIER)]}:
            self._rows.pop(call_id).item.delete()
        running = [row.running for row in self._rows.values()]
        _of(self._running).set_visibility(True in running)
        _of(self._earlier).set_visibility(False in running)
        self._nothing.set_visibility(not running)


class _Row:
    def __init__(self, call: Call, select: Callable[[str], None]) -> None:
        self.running = call.running
        with Box("li") as self.item, Box("button", "row", type="button").on("click", lambda: select(call.id)) as self._button:
            self._dot = Box("i")
            self._number = Text("span", number(call), "number")
            with Box("span", "when"):
                self._clock = CallClock()
                self._time = LocalTime(brief=True)
            self._words = Text("small")

    def update(self, call: Call, words: str, *, selected: bool) -> None:
        self.running = call.running
        self._number.show(number(call))
        self._words.show(words)
        self._clock.show(call.started_at if call.running else None, None)
        self._time.show(None if call.running else call.created_at)
        self._time.set_visibility(not call.running)
        self._dot.classes(replace=f"dot {call.status.value}")
        self.mark(selected)

    def mark(self, selected: bool) -> None:
        set_props(self._button, aria_current="true" if selected else None)


def _part(title: str) -> Box:
    with Box(classes="part"):
        Text("h2", title)
        return Box("ul", "list")


def _of(rows: Box) -> Box:
    """The part around its rows."""
    assert rows.parent_slot is not None  # noqa: S101
    part = rows.parent_slot.parent
    assert isinstance(part, Box)  # noqa: S101
    return part
