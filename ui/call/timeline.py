"""The actions taken on a call through Earshot: what, who, when, and the outcome."""

from services.desk.calls.timeline import Entry
from services.desk.desk import CallDesk
from services.domain.call import Call
from ui.call.chips import QUOTED
from ui.kit.live_box import Batch, LiveBox
from ui.kit.markup import Box, Text
from ui.kit.times import LocalTime
from ui.words import say
from ui.words.calls import named
from ui.words.who import who_name


class Timeline(LiveBox):
    """The actions on one call, oldest first. Hidden while there are none."""

    def __init__(self, call: Call, *, desk: CallDesk) -> None:
        super().__init__("section", "timeline", aria_label=say("timeline"), data_testid="timeline")
        self._call_id = call.id
        self._desk = desk
        self._shown: list[Entry] = []
        with self:
            Text("h3", say("timeline"))
            self._list = Box("ol", aria_live="polite")
        self._batch = Batch[str, None](self, lambda _: self._refresh())
        self.subscribe(desk.timelines.changed, self._on_change)
        self._refresh()

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call_id:
            self._batch.add(call_id, None)

    def _refresh(self) -> None:
        entries = list(self._desk.timelines.of(self._call_id))
        same = 0
        while same < min(len(entries), len(self._shown)) and entries[same] == self._shown[same]:
            same += 1
        for item in list(self._list)[same:]:
            item.delete()
        with self._list:
            for entry in entries[same:]:
                _item(self._desk, entry)
        self._shown = entries
        self.set_visibility(bool(entries))


def _item(desk: CallDesk, entry: Entry) -> None:
    refused = entry.outcome == "refused"
    with Box("li", entry.outcome):
        LocalTime(entry.at)
        with Box():
            with Box("p"):
                Text("b", f"{say(f'did_{entry.action}')} ")
                if entry.detail:
                    Text("q" if entry.action in QUOTED else "span", named(desk, entry.detail))
            with Box("p", "came"):
                Text("span", f"{say('by', who=who_name(entry.who))} ")
                Text("span", say("refused", why=entry.words) if refused else say("taken"))
