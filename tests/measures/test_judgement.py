"""When a rule applies to what was measured, and to a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.rule import Rule, RuleKind, RuleSpeaker
from services.domain.speech import Kind, Speaker
from services.domain.transcript import Line
from services.measures.figures import Figures
from services.measures.judgement import exceeded, said, said_first
from services.measures.turns import Stretch, Turn
from tests.measures.test_trouble import answers, figures

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)


def rule(kind: RuleKind, above: float = 0.0, *, phrase: str = "", speaker: RuleSpeaker = RuleSpeaker.EITHER) -> Rule:
    return Rule(id="one", kind=kind, above=above, phrase=phrase, speaker=speaker, since=AT)


def line(text: str, speaker: Speaker = "customer", *, kind: Kind = Kind.SPEECH, final: bool = True, after_s: float = 0.0) -> Line:
    return Line(key=1, speaker=speaker, text=text, at=AT + timedelta(seconds=after_s), final=final, kind=kind)


def silent(*spans: tuple[float, float]) -> Figures:
    of = figures(until=60)
    return replace(of, conversation=replace(of.conversation, silences=tuple(Stretch(*span) for span in spans)))


INTERRUPTED = figures(Turn(0, 0, 2), Turn(1, 1, 4, interrupts=True), Turn(0, 3, 6, interrupts=True), Turn(1, 5, 8, interrupts=True))


@pytest.mark.parametrize(
    ("kind", "above", "of", "amount"),
    [
        (RuleKind.SILENCE, 8, silent((0, 5), (10, 19), (20, 24)), 9),
        (RuleKind.SILENCE, 9, silent((10, 19)), None),  # not more than that
        (RuleKind.SILENCE, 8, silent(), None),
        (RuleKind.SLOW_ANSWER, 2, figures(*answers(0.5, 2.5, 0.6)), 2.5),
        (RuleKind.SLOW_ANSWER, 2.5, figures(*answers(0.5, 2.5, 0.6)), None),
        (RuleKind.SLOW_ANSWERS, 1, figures(*answers(0.5, 2.5, 2.1)), 2.1),
        (RuleKind.SLOW_ANSWERS, 1, figures(*answers(2.5, 2.1)), None),  # too few to say what is usual
        (RuleKind.INTERRUPTIONS, 2, INTERRUPTED, 3),
        (RuleKind.INTERRUPTIONS, 3, INTERRUPTED, None),
        (RuleKind.COST, 0, INTERRUPTED, None),
    ],
)
def test_more_than_the_limit_is_too_much(kind: RuleKind, above: float, of: Figures, amount: float | None) -> None:
    assert exceeded(rule(kind, above), of) == amount


def test_interruptions_are_counted_of_the_side_that_interrupts() -> None:
    assert exceeded(rule(RuleKind.INTERRUPTIONS, 1, speaker=RuleSpeaker.ASSISTANT), INTERRUPTED) == 2
    assert exceeded(rule(RuleKind.INTERRUPTIONS, 1, speaker=RuleSpeaker.CUSTOMER), INTERRUPTED) is None


def test_what_was_over_before_the_rule_was_switched_on_does_not_count() -> None:
    assert exceeded(rule(RuleKind.SILENCE, 8), silent((10, 19)), since_s=18) == 9
    assert exceeded(rule(RuleKind.SILENCE, 8), silent((10, 19)), since_s=20) is None
    slow = figures(*answers(2.5, 0.5))
    assert exceeded(rule(RuleKind.SLOW_ANSWER, 2), slow, since_s=3.4) == 2.5
    assert exceeded(rule(RuleKind.SLOW_ANSWER, 2), slow, since_s=3.6) is None


def test_a_keyword_is_heard_from_the_one_who_is_listened_for() -> None:
    of = {speaker: rule(RuleKind.KEYWORD, phrase="cancel", speaker=speaker) for speaker in RuleSpeaker}
    assert said(of[RuleSpeaker.CUSTOMER], line("I cancelled it"))
    assert not said(of[RuleSpeaker.ASSISTANT], line("I cancelled it"))
    assert said(of[RuleSpeaker.ASSISTANT], line("I cancelled it", "assistant"))
    assert said(of[RuleSpeaker.EITHER], line("I cancelled it"))
    assert not said(of[RuleSpeaker.EITHER], line("cancel", kind=Kind.TOOL))
    assert not said(rule(RuleKind.COST), line("cancel"))


def test_the_first_final_line_counts() -> None:
    wanted = rule(RuleKind.KEYWORD, phrase="cancel")
    lines = (line("cancel", final=False), line("cancel", after_s=1), line("cancelled", after_s=2))
    assert said_first(wanted, lines) == lines[1]
    assert said_first(wanted, lines, since=AT + timedelta(seconds=2)) == lines[2]
    assert said_first(wanted, lines[:1]) is None
