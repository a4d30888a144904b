"""How a call ended: reason, next step, duration, cost, summary, and actions."""

from collections.abc import Callable
from urllib.parse import quote

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import Scope
from services.support.root_path import address
from ui.kit.icons import icon
from ui.kit.markup import Box, Text, set_props
from ui.kit.tone import tone_of
from ui.kit.visitor import visitor_may
from ui.words import say
from ui.words.calls import cost, cost_of, cost_part, duration, summary, why_ended
from ui.words.findings import collected, latency, monitors, scorecards, success

_TONES = ("finished", "missed", "cancelled", "trouble")
_MIN_SHOWN = 0.0005  # dollars; less would be shown as 0


class Outcome(Box):
    """Hidden while the call is active. `dial_again` is called with its number."""

    def __init__(self, *, desk: CallDesk, dial_again: Callable[[str], None]) -> None:
        super().__init__(classes="outcome")
        self._desk = desk
        self._to = ""
        self._calls, self._listens = visitor_may(Scope.CALL), visitor_may(Scope.LISTEN)
        with self:
            with Box(classes="outcome-text"):
                with Box("h3"):
                    self._icons = {tone: icon(f"call-{tone}", 20) for tone in _TONES}
                    self._why = Text("span")
                self._next_step = Text("p")
                with Box("dl", "facts"):
                    self._duration, self._cost = _Fact("duration"), _Fact("cost")
                    self._parts = _Fact("cost_parts")
                    self._summary = _Fact("summary")
                    self._success = _Fact("success")
                    self._scorecards = _Fact("scorecards")
                    self._monitors = _Fact("monitors", "pre")
                    self._latency = _Fact("latency")
                    self._data = _Fact("collected", "pre")
            with Box(classes="outcome-actions"):
                with Box("button", "btn", type="button") as self._again:
                    icon("again")
                    Text("span", say("call_again"))
                self._log = Text("a", say("vapi_log"), "btn", download=True)
                self._packets = Text("a", say("vapi_packets"), "btn", download=True)
        self._again.on("click", lambda: dial_again(self._to))
        self.set_visibility(False)

    def show(self, call: Call) -> None:
        self._to = call.to or ""
        reason = why_ended(self._desk, call)
        self.set_visibility(reason is not None)
        if reason is None:
            return
        tone = tone_of(call)
        for name, drawing in self._icons.items():
            drawing.set_visibility(name == tone)
        self._why.show(reason.title)
        self._next_step.show(reason.next_step)
        self._duration.show(duration(call))
        self._cost.show(cost(call))
        self._parts.show(" · ".join(f"{cost_part(item)} {cost_of(item)}" for item in call.costs if item.dollars >= _MIN_SHOWN))
        self._summary.show(summary(call))
        self._success.show(success(call))
        self._scorecards.show(scorecards(call))
        self._monitors.show(monitors(call))
        self._latency.show(latency(call))
        self._data.show(collected(call))
        self._again.set_visibility(bool(self._to) and self._calls)
        for link, kind, there in ((self._log, "call-logs", call.logged), (self._packets, "pcap", call.captured)):
            set_props(link, href=address(f"/call-files/{quote(call.id, safe='')}/{kind}"))
            link.set_visibility(there and self._listens)


class _Fact:
    """One fact about an ended call; hidden while unknown."""

    def __init__(self, name: str, tag: str = "span") -> None:
        with Box(classes=name) as self._line:
            Text("dt", say(name))
            with Box("dd"):
                self._value = Text(tag, dir="auto")

    def show(self, value: str) -> None:
        self._value.show(value)
        self._line.set_visibility(bool(value))
