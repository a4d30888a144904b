"""The stage: the selected call, the one being placed, or an invitation to dial."""

from collections.abc import Callable

from services.desk.desk import CallDesk
from services.doctor.going_live import GoingLive
from services.domain.call import Call, CallOrder
from services.listening.live_sound import LiveSound
from services.recording.recordings import Recordings
from ui.call.call_card import CallCard
from ui.call.call_head import CallHead
from ui.call.open_calls import OpenCalls
from ui.call.welcome import welcome
from ui.kit.markup import Box
from ui.words import say


class Stage:
    """Shows one thing at a time. `dial_again` is called with a number to dial, `select` with the id of an open call,
    `sounds` whenever the sound of the call on it starts or stops, and `shows` with whether there is a call on it.

    `demo`: calls go to the demo line. `going_live`: the visitor may set the credentials.
    """

    def __init__(
        self,
        *,
        desk: CallDesk,
        relay: LiveSound,
        recordings: Recordings,
        issue_ticket: Callable[[str], str],
        dial_again: Callable[[str], None],
        select: Callable[[str], None],
        sounds: Callable[[], None],
        shows: Callable[[bool], None],
        demo: bool,
        going_live: GoingLive | None,
    ) -> None:
        self._desk = desk
        self._recordings = recordings
        self._issue_ticket = issue_ticket
        self._dial_again = dial_again
        self._select = select
        self._sounds = sounds
        self._shows = shows
        self._demo = demo
        self._going_live = going_live
        self.card: CallCard | None = None
        self._state = "empty"
        self._steered = False
        self._section = Box("section", "card stage", aria_label=say("stage"))
        with self._section:
            self._open = OpenCalls(desk=desk, relay=relay, choose=select)
            self._box = Box()
        self.show_nothing()

    def show_nothing(self) -> None:
        self._empty("empty")
        with self._box:
            welcome(demo=self._demo, missing=self._desk.missing, fill=self._dial_again, going_live=self._going_live)

    def show_placing(self, order: CallOrder) -> None:
        self._empty("busy")
        with self._box:
            CallHead(order, desk=self._desk)

    def show(self, call: Call, *, listen: bool = False) -> None:
        """Shows `call`, and starts its sound if `listen`. The call shown before falls silent but stays open."""
        self._empty("call", call)
        with self._box:
            self.card = CallCard(
                call,
                desk=self._desk,
                recordings=self._recordings,
                issue_ticket=self._issue_ticket,
                listen=listen,
                dial_again=self._dial_again,
                select=self._select,
                sounds=self._sounds,
                steered=self._on_steered,
            )

    def _on_steered(self, steered: bool) -> None:
        if steered != self._steered:
            self._steered = steered
            self._class_section()

    def _class_section(self) -> None:
        # What is on the stage, for the style sheets. They could find out with `:has()`, but then each change anywhere, such as a word of
        # the transcript, has the browser work out the style of the whole page.
        self._section.classes(replace=f"card stage {self._state} {'steered' if self._steered else ''}")
        self._shows(self._state != "empty")

    def refresh(self, call: Call) -> None:
        """Updates the open calls when one of them changed."""
        self._open.refresh(call)

    def _empty(self, state: str, call: Call | None = None) -> None:
        self.card = None
        self._box.clear()
        self._state = state
        self._steered = False
        self._class_section()
        self._open.show(call)
