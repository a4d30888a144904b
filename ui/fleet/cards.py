"""What the fleet shows of a running call: one card, with the worst trouble first."""

from datetime import UTC, datetime
from typing import TypedDict

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.call import Call, CallStatus
from services.domain.rule import Effect
from services.domain.speech import Kind
from services.domain.transcript import Line
from services.measures.figures import Figures
from services.measures.trouble import KINDS, Trouble, trouble
from ui.kit.times import milliseconds
from ui.words import decimal, say
from ui.words.alerts import alert_words
from ui.words.calls import masked, number, outcome

WINDOW_S = 60.0
"""What the lanes of a card show: the last minute of the call's sound."""
_ALERTED_S = 120.0
"""For how long after an alert a call needs somebody. The alert itself stays on its card."""
_MAX_LAST = 160  # characters of the last line: two rows of a card
_SECONDS = {"lost": "fleet_lost", "silent": "fleet_silent", "slow": "fleet_slow"}


class Card(TypedDict):
    """`since` is in ms since 1970. `rank` is 0 for the worst trouble, and greatest for none. `alert` is the latest one. `speaker` is a CSS
    class, `state` says the same, or what the call is doing. `lanes` are turns: the speaker's channel, and start and width in percent of the
    last minute."""

    id: str
    name: str
    since: int | None
    at: int | None
    state: str
    speaker: str
    trouble: str
    alert: str
    needy: bool
    rank: int
    last: str
    last_speaker: str
    lanes: list[tuple[int, float, float]]
    audible: bool


def in_fleet(call: Call) -> bool:
    """True for a call that belongs into the fleet."""
    return call.running and call.status is not CallStatus.SCHEDULED


def find(desk: CallDesk, call_id: str) -> Call | None:
    """The call, if it belongs into the fleet. One whose outcome was unknown gets another id once it is found."""
    call = desk.get(call_id)
    return call if call and call.id == call_id and in_fleet(call) else None


def trouble_of(desk: CallDesk, call: Call) -> Trouble | None:
    """What is wrong in a call that is being talked in, as far as it is measured here."""
    measured = desk.measurements.live(call.id)
    if measured is None or call.status is not CallStatus.IN_PROGRESS:
        return None
    return trouble(measured.figures, stale_s=desk.measurements.age_s(call.id))


def needs_somebody(desk: CallDesk, call: Call) -> bool:
    """True if something is wrong in a call, or a rule has just applied to it."""
    return trouble_of(desk, call) is not None or _alerted(alerts_of(desk, call))


def alerts_of(desk: CallDesk, call: Call) -> list[Alert]:
    """The alerts of a call that are to be seen on its card."""
    return [alert for alert in desk.alerts.of(call.id) if Effect.BADGE in alert.rule.effects]


def _alerted(alerts: list[Alert]) -> bool:
    return bool(alerts) and (datetime.now(UTC) - alerts[-1].at).total_seconds() < _ALERTED_S


def card(desk: CallDesk, call: Call, *, for_a_room: bool = False, hears: bool = True) -> Card:
    """`for_a_room` masks the number. `hears`: the visitor may listen to the call."""
    measured = desk.measurements.live(call.id)
    figures = measured.figures if measured else None
    talks = call.status is CallStatus.IN_PROGRESS
    bad = trouble_of(desk, call)
    alerts = alerts_of(desk, call)
    alerted = _alerted(alerts)
    speaking = (figures.speaking if figures else frozenset()) or desk.transcripts.speaking(call.id)
    speaker = ("both" if len(speaking) > 1 else next(iter(speaking), "")) if talks else ""
    last = _last(desk.transcripts.of(call.id))
    return Card(
        id=call.id,
        name=masked(call) if for_a_room else (desk.contacts.name_of(call.to) or call.customer_name or number(call)),
        since=milliseconds(call.started_at),
        at=milliseconds(call.created_at),
        state=say(f"fleet_{speaker}") if speaker else outcome(desk, call),
        speaker=speaker,
        trouble=_words(bad) if bad else "",
        alert=_latest(alerts),
        needy=bad is not None or alerted,
        rank=KINDS.index(bad.kind) if bad else len(KINDS) + (not alerted),
        last=last.text[-_MAX_LAST:] if last else "",
        last_speaker=last.speaker if last else "",
        lanes=_lanes(figures) if figures else [],
        audible=hears and (talks or call.status is CallStatus.RINGING),
    )


def _last(lines: tuple[Line, ...]) -> Line | None:
    return next((line for line in reversed(lines) if line.text and line.kind is Kind.SPEECH), None)


def _latest(alerts: list[Alert]) -> str:
    if not alerts:
        return ""
    more = f" +{len(alerts) - 1}" if len(alerts) > 1 else ""
    return alert_words(alerts[-1]) + more


def _words(bad: Trouble) -> str:
    if bad.kind == "interrupted":
        return say("fleet_interrupted", count=int(bad.amount))
    return say(_SECONDS[bad.kind], seconds=decimal(bad.amount) if bad.kind == "slow" else str(int(bad.amount)))


def _lanes(figures: Figures) -> list[tuple[int, float, float]]:
    until = figures.conversation.until
    since = until - WINDOW_S
    percent = 100 / WINDOW_S
    return [
        (turn.channel, round((max(turn.start, since) - since) * percent, 1), round((turn.end - max(turn.start, since)) * percent, 1))
        for turn in figures.conversation.turns
        if turn.end > since
    ]
