"""Whether a rule applies to a line or to the figures of a call. Pure."""

from datetime import datetime

from services.domain.phrases import phrase
from services.domain.rule import Rule, RuleKind, RuleSpeaker
from services.domain.speech import Kind
from services.domain.transcript import Line
from services.measures.figures import SPEAKERS, Figures, quantile

ANSWERS = 3
"""From this many on they have a median that says more than a single one."""

MEASURED = (RuleKind.SILENCE, RuleKind.SLOW_ANSWER, RuleKind.SLOW_ANSWERS, RuleKind.INTERRUPTIONS)
"""The kinds that are judged by the figures of the conversation."""

_ASSISTANT = SPEAKERS.index("assistant")


def said(rule: Rule, line: Line) -> bool:
    """True if the line has the rule's keyword and is by a speaker that the rule is about."""
    return (
        rule.kind is RuleKind.KEYWORD
        and line.kind is Kind.SPEECH
        and rule.speaker in (RuleSpeaker.EITHER, line.speaker)
        and phrase(rule.phrase).occurs_in(line.text)
    )


def said_first(rule: Rule, lines: tuple[Line, ...], *, since: datetime | None = None) -> Line | None:
    """The first final line with the rule's keyword, at `since` or later."""
    return next((line for line in lines if line.final and (since is None or line.at >= since) and said(rule, line)), None)


def exceeded(rule: Rule, figures: Figures, *, since_s: float = 0.0) -> float | None:
    """What was measured, in the unit of the rule's `above`, if it is more than that; else None.

    A silence or a single answer that was over at `since_s` of the call's sound does not count.
    """
    amount = _amount(rule, figures, since_s)
    return amount if amount is not None and amount > rule.above else None


def _amount(rule: Rule, figures: Figures, since_s: float) -> float | None:
    one = figures.conversation
    match rule.kind:
        case RuleKind.SILENCE:
            return max((silence.end - silence.start for silence in one.silences if silence.end >= since_s), default=None)
        case RuleKind.SLOW_ANSWER:
            late = (turn.response_s for turn in one.turns if turn.channel == _ASSISTANT and turn.start >= since_s)
            return max((seconds for seconds in late if seconds is not None), default=None)
        case RuleKind.SLOW_ANSWERS:
            times = figures.response_times(_ASSISTANT)
            return quantile(times, 0.5) if len(times) >= ANSWERS else None
        case RuleKind.INTERRUPTIONS:
            return float(sum(turn.interrupts and rule.speaker in (RuleSpeaker.EITHER, SPEAKERS[turn.channel]) for turn in one.turns))
    return None
