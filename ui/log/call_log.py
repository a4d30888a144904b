"""The call log: active calls, below them scheduled ones with their time, and below those ended ones."""

from collections.abc import Callable, Iterable

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from ui.kit.live_box import Batch, LiveBox
from ui.kit.markup import Box, Text
from ui.log.call_list import CallList, row
from ui.log.call_search import AddressFilters
from ui.log.past_calls import PastCalls
from ui.words import say


class CallLog(LiveBox):
    """Calls `select` with the id of the call whose row is pressed. `asked` filters the ended calls at first. A change
    of a call updates only its row.
    """

    def __init__(self, *, desk: CallDesk, select: Callable[[str], None], asked: AddressFilters) -> None:
        super().__init__("section", "card log", aria_label=say("calls_list"), data_testid="call-log")
        self._desk = desk
        running, scheduled = _parted(desk.calls())
        with self:
            with Box(classes="part running") as self._part:
                with Box("h2"):
                    Text("span", say("running"))
                    self._count = Text("span", "", "count")
                self._running = CallList([row(desk, call) for call in running], choose=select)
            with Box(classes="part scheduled", data_testid="scheduled-calls") as self._scheduled_part:
                Text("h2", say("scheduled_calls"))
                self._scheduled = CallList([row(desk, call) for call in scheduled], choose=select)
            self._past = PastCalls(desk=desk, choose=select, asked=asked)
        self._batch = Batch[str, None](self, lambda ids: self._refresh(ids))
        self.subscribe(desk.transcripts.speech_changed, lambda call_id: self._batch.add(call_id, None))
        self.subscribe(desk.contacts.changed, lambda _: self._rename())
        self._drop_gone()

    def refresh(self, call: Call) -> None:
        """Updates the row of a call that changed."""
        self._batch.add(call.id, None)

    def mark_row(self, call_id: str | None) -> None:
        """Marks the row of the call on the stage; None marks none."""
        self._running.mark_row(call_id)
        self._scheduled.mark_row(call_id)
        self._past.mark_row(call_id)

    def _rename(self) -> None:
        """Contacts have changed, and so may the names in any row."""
        for shown in (self._running, self._scheduled):
            shown.put(row(self._desk, call) for call_id in shown.ids if (call := self._desk.get(call_id)))
        self._past.read_again()

    def _refresh(self, ids: dict[str, None]) -> None:
        calls = {call_id: self._desk.get(call_id) for call_id in ids}
        known = [call for call_id, call in calls.items() if call and call.id == call_id]
        running, scheduled = _parted(known)
        self._running.drop(ids.keys() - {call.id for call in running})
        self._scheduled.drop(ids.keys() - {call.id for call in scheduled})
        if scheduled:
            self._scheduled.put(row(self._desk, call) for call in scheduled)
        if running:
            self._running.put(row(self._desk, call, fresh=call.id not in self._running.ids) for call in running)
        self._past.refresh([call for call in known if not call.running])
        self._drop_gone()

    def _drop_gone(self) -> None:
        # A call whose outcome was unknown gets another id once it is found.
        self._running.drop(
            call_id for call_id in list(self._running.ids) if (call := self._desk.get(call_id)) is None or call.id != call_id
        )
        self._scheduled_part.set_visibility(bool(self._scheduled.ids))
        count = len(self._running.ids)
        self._part.set_visibility(count > 0)
        self._count.show(str(count) if count > 1 else "")


def _parted(calls: Iterable[Call]) -> tuple[list[Call], list[Call]]:
    """The active and the scheduled ones of these calls."""
    running = [call for call in calls if call.running]
    return [call for call in running if call.status is not CallStatus.SCHEDULED], [
        call for call in running if call.status is CallStatus.SCHEDULED
    ]
