"""The four steps of a call, with the time each was reached."""

from services.domain.call import Call, CallStatus
from ui.kit.markup import Box, Text, set_props
from ui.kit.times import LocalTime
from ui.kit.tone import tone_of
from ui.words import state

_STEPS = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS, CallStatus.ENDED)


class Steps:
    """Marks the steps reached, in the tone of how the call ended. One that was skipped, such as the answer to an unanswered call, stays
    pale."""

    def __init__(self) -> None:
        self._items: dict[CallStatus, tuple[Box, LocalTime]] = {}
        with Box("ol", "steps") as self._list:
            for status in _STEPS:
                with Box("li", "todo") as item:
                    Text("b", state(status))
                    self._items[status] = item, LocalTime()

    def update(self, call: Call) -> None:
        self._list.classes(replace=f"steps {tone_of(call)}".rstrip())
        times = dict(zip(_STEPS, (call.created_at, call.ringing_at, call.started_at, call.ended_at), strict=True))
        for status, (item, time) in self._items.items():
            reached = status.order <= call.status.order and not (status is CallStatus.IN_PROGRESS and not call.answered)
            time.show(times[status] if reached else None)
            item.classes(replace="done" if reached else "todo")
            set_props(item, aria_current="step" if status is call.status else None)
