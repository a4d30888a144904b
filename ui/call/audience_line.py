"""Who listens to a call, once that is more than one."""

from services.desk.calls.audience import Audience
from services.domain.call import Call
from services.domain.client import LOCAL, PAGE
from ui.kit.live_box import LiveBox
from ui.kit.markup import Text
from ui.words import say

_MOST_NAMES = 5


class AudienceLine(LiveBox):
    """Hidden while nobody or one listens. Listeners without a name of their own are counted, not named."""

    def __init__(self, call: Call, *, audience: Audience) -> None:
        super().__init__("p", "audience", role="status", data_testid="audience")
        self._call_id = call.id
        self._audience = audience
        with self:
            self._line = Text("span", "")
        self.subscribe(audience.changed, self._on_change)
        self._show()

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call_id:
            self._show()

    def _show(self) -> None:
        listeners = self._audience.of(self._call_id)
        count = sum(listeners.values())
        names = [name for name in listeners if name not in (PAGE.name, LOCAL.name)]
        more = len(names) - _MOST_NAMES
        said = ", ".join(names[:_MOST_NAMES]) + (f" +{more}" if more > 0 else "")
        text = say("people_listen", count=count) + (f": {said}" if said else "")
        self._line.show(text if count > 1 else "")
        self.set_visibility(count > 1)
