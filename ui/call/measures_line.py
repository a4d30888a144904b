"""One quiet line under the lanes: how the conversation goes, and after the call how it went."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.errors import EarshotError
from services.measures.figures import SPEAKERS, Figures, quantile
from services.measures.floor import SILENCE_S
from services.measures.measured import Measured
from services.measures.turns import Turn
from ui.kit.live_box import Batch, LiveBox
from ui.kit.markup import Text
from ui.words import decimal, percent, say
from ui.words.turns import AT_ONCE_S

log = logging.getLogger(__name__)

CUSTOMER, ASSISTANT = range(len(SPEAKERS))
USUAL_S = 1.5
"""Up to here an answer seems natural on the telephone."""
SLOW_S = 2.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A figure in words. `at`: the moment of the call's sound that shows it best, in seconds; None if there is none."""

    text: str
    at: float | None = None


class MeasuresLine(LiveBox):
    """Its row is kept free in a running call, so that nothing moves when there are figures. `show_moment` is called with a time in seconds
    since 1970 when a figure of an ended call is pressed, `show_live` with each news of a running one.
    """

    def __init__(self, call: Call, *, desk: CallDesk, show_moment: Callable[[float], None], show_live: Callable[[Measured], None]) -> None:
        super().__init__("p", "measures", aria_label=say("measures"), role="group", data_testid="measures")
        self._desk = desk
        self._call = call
        self._show_moment = show_moment
        self._show_live = show_live
        self._shown: list[Piece] = []
        self._ended: bool | None = None
        self.set_visibility(call.running)
        batch = Batch[str, None](self, lambda _: self.refresh(self._call), every_s=0.25)
        self.subscribe(desk.measurements.changed, lambda call_id: batch.add(call_id, None) if call_id == self._call.id else None)
        self._loaded: Measured | None = None
        if not call.running:
            self.start(self._load(), name="read measures")

    async def _load(self) -> None:
        try:
            measured = await self._desk.measurements.of(self._call.id)
        except EarshotError as error:
            log.warning("could not read what was measured of a call (%s)", error.code)
            return
        if measured:
            self._loaded = measured
            self.refresh(self._call)

    def refresh(self, call: Call) -> None:
        """Shows the figures as they are now."""
        self._call = call
        measured = self._desk.measurements.live(call.id) or self._loaded
        if measured and call.running:
            self._show_live(measured)
        figures = measured.figures if measured else None
        said = list(pieces(figures, over=not call.running)) if figures and figures.conversation.turns else []
        if (said, not call.running) == (self._shown, self._ended):
            return
        self._shown, self._ended = said, not call.running
        self.set_visibility(bool(said) or call.running)
        self.clear()
        with self:
            for piece in said:
                self._add(piece, measured.started_at if measured else 0.0)

    def _add(self, piece: Piece, started_at: float) -> None:
        if piece.at is None or self._call.running:
            Text("span", piece.text)
            return
        moment = started_at + piece.at
        Text("button", piece.text, "link", type="button", title=say("measures_moment")).on("click", lambda: self._show_moment(moment))


def pieces(figures: Figures, *, over: bool) -> Iterator[Piece]:
    """What the line says. `over`: the call has ended."""
    turns = figures.conversation.turns
    if not over and figures.silent_s >= SILENCE_S:
        yield Piece(say("measures_silent", seconds=str(int(figures.silent_s))))
    usual = quantile(figures.response_times(ASSISTANT), 0.5)
    if usual is not None:
        yield Piece(_answers(usual, over=over), _slowest(turns))
    if (share := figures.talk_share(CUSTOMER)) is not None:
        yield Piece(say("measures_talk", percent=percent(round(share, 3))))  # as in REST
    count = figures.interruptions
    if count or over:
        first = next((turn.start for turn in turns if turn.interrupts), None)
        yield Piece(say("measures_interruptions", count=count) if count else say("measures_none"), first)


def _answers(usual: float, *, over: bool) -> str:
    seconds = decimal(usual)
    if usual < AT_ONCE_S:
        return say("measures_at_once")
    if not over:
        return say("measures_answers", seconds=seconds)
    if usual <= USUAL_S:
        return say("measures_quick", seconds=seconds)
    return say("measures_slower" if usual <= SLOW_S else "measures_slow", seconds=seconds, usual=decimal(USUAL_S))


def _slowest(turns: tuple[Turn, ...]) -> float | None:
    """Where the assistant took longest to answer: the end of the customer's turn."""
    answered = [turn for turn in turns if turn.channel == ASSISTANT and turn.response_s is not None]
    slowest = max(answered, key=lambda turn: turn.response_s or 0.0, default=None)
    return max(0.0, slowest.start - (slowest.response_s or 0.0)) if slowest else None
