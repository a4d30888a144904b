"""The top of the stage: number, clock, state, steps. Also shown while a call is being placed."""

from services.desk.desk import CallDesk
from services.domain.call import Call, CallOrder
from ui.call.steps import Steps
from ui.kit.markup import Box, Text, set_props
from ui.kit.times import CallClock
from ui.kit.tone import tone_of
from ui.words import say, state
from ui.words.calls import masked, subtitle, who


class CallHead:
    """`call` is the call, or the order of one that is being placed."""

    def __init__(self, call: Call | CallOrder, *, desk: CallDesk) -> None:
        self._desk = desk
        with Box(classes="top"):
            with Box(classes="whom"):
                self._who = Text("h2", who(desk, call), "who")
                self._masked = Text("p", masked(call), "masked")  # in its place while presenting
                self._subtitle = Text("p", subtitle(desk, call), "sub")
            self._steps = Steps()
            with Box(classes="right"):
                self._clock = CallClock()
                with Box(classes="state", role="status", aria_live="polite"):
                    self._dot = Box("i", "dot")
                    self._status = Text("span", say("dialling"), data_testid="call-status", data_status="dialling")

    def update(self, call: Call) -> None:
        self._who.show(who(self._desk, call))
        self._masked.show(masked(call))
        self._subtitle.show(subtitle(self._desk, call))
        self._clock.show(call.started_at, call.ended_at)
        self._clock.name_tab(who(self._desk, call), state(call.status))
        self._status.show(state(call.status))
        set_props(self._status, data_status=call.status.value)
        self._dot.classes(replace=f"dot {call.status.value} {tone_of(call)}".rstrip())
        self._steps.update(call)
