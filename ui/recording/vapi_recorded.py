"""Vapi's own recording of an ended call: replay and download."""

from collections.abc import Callable

from services.domain.call import Call
from services.domain.client import Scope
from ui.kit.markup import Text
from ui.kit.visitor import visitor_may
from ui.recording.replay import vapis_download_address
from ui.recording.replayable import Measure, Replayable
from ui.words import say


class VapiRecorded(Replayable):
    """Hidden until Vapi names a recording."""

    def __init__(self, call: Call, *, measured: Measure, replaying: Callable[[bool], None], note: Callable[[float], None]) -> None:
        super().__init__(call, title=say("vapi_recording"), vapis=True, measured=measured, replaying=replaying, note=note)
        self._listens = visitor_may(Scope.LISTEN)
        with self.head:
            Text("a", say("download"), "btn small", href=vapis_download_address(call.id), download=True)
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self.offer(not call.running and call.recording_url is not None and self._listens)
