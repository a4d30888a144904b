"""The list of calls: those that run, and below them those that are over."""

from collections.abc import Callable

from services.desk.desk import CallDesk
from services.domain.call import Call
from ui.kit.living import Batch, Living
from ui.kit.markup import Box, Text
from ui.log.call_list import CallList, row
from ui.log.past_calls import PastCalls
from ui.words import say


class CallLog(Living):
    """`select` is given the id of the call whose row is pressed. A change of a call touches its row alone."""

    def __init__(self, *, desk: CallDesk, select: Callable[[str], None]) -> None:
        super().__init__("section", "card log", aria_label=say("calls_list"), data_testid="call-log")
        self._desk = desk
        running = [call for call in desk.calls() if call.running]
        with self:
            with Box(classes="part running") as self._part:
                with Box("h2"):
                    Text("span", say("running"))
                    self._count = Text("span", "", "count")
                self._running = CallList([row(desk, call) for call in running], choose=select)
            self._past = PastCalls(desk=desk, choose=select)
        self._batch = Batch[str, None](self, lambda ids: self._refresh(ids))
        self.hear(desk.transcripts.speech_changed, lambda call_id: self._batch.add(call_id, None))
        self._tidy()

    def note(self, call: Call) -> None:
        """Takes in that something about a call changed."""
        self._batch.add(call.id, None)

    def point_at(self, call_id: str | None) -> None:
        """Marks the row of the call that is on the stage."""
        self._running.point_at(call_id)
        self._past.point_at(call_id)

    def _refresh(self, ids: dict[str, None]) -> None:
        calls = {call_id: self._desk.get(call_id) for call_id in ids}
        known = [call for call_id, call in calls.items() if call and call.id == call_id]
        running = [call for call in known if call.running]
        self._running.drop(ids.keys() - {call.id for call in running})
        if running:
            self._running.put(row(self._desk, call, fresh=call.id not in self._running.ids) for call in running)
        self._past.note([call for call in known if not call.running])
        self._tidy()

    def _tidy(self) -> None:
        # A call whose outcome was unknown goes by another id once it is found.
        self._running.drop(
            call_id for call_id in list(self._running.ids) if (call := self._desk.get(call_id)) is None or call.id != call_id
        )
        count = len(self._running.ids)
        self._part.set_visibility(count > 0)
        self._count.show(str(count) if count > 1 else "")
