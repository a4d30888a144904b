"""What a rule may be, and that it is the same after it was stored."""

from datetime import UTC, datetime, timedelta

import pytest

from services.domain.alert import Alert, dump, load, quote
from services.domain.errors import RequestError
from services.domain.rule import Effect, Rule, RuleKind, RuleSpeaker, altered, dumped, loaded, rule_of

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def keyword(phrase: str = "cancel", **more: object) -> Rule:
    return rule_of("one", RuleKind.KEYWORD, phrase=phrase, speaker=RuleSpeaker.CUSTOMER, since=NOW, **more)  # type: ignore[arg-type]


def test_a_phrase_is_on_one_line_and_without_what_harms() -> None:
    assert keyword("  a\x00b\n\tc\u202ed ").phrase == "ab cd"


@pytest.mark.parametrize(
    ("kind", "given", "field", "code"),
    [
        (RuleKind.KEYWORD, {}, "phrase", "no_phrase"),
        (RuleKind.KEYWORD, {"phrase": " \n"}, "phrase", "no_phrase"),
        (RuleKind.KEYWORD, {"phrase": "?!\x00\x1b"}, "phrase", "no_phrase"),
        (RuleKind.KEYWORD, {"phrase": "x" * 101}, "phrase", "long_phrase"),
        (RuleKind.KEYWORD, {"phrase": "x" * 10_000}, "phrase", "long_phrase"),
        (RuleKind.SILENCE, {}, "above", "out_of_range"),
        (RuleKind.SILENCE, {"above": 2.9}, "above", "out_of_range"),
        (RuleKind.SILENCE, {"above": float("nan")}, "above", "out_of_range"),
        (RuleKind.SLOW_ANSWER, {"above": float("inf")}, "above", "out_of_range"),
        (RuleKind.SLOW_ANSWERS, {"above": 0}, "above", "out_of_range"),
        (RuleKind.INTERRUPTIONS, {"above": 2.5}, "above", "out_of_range"),
        (RuleKind.INTERRUPTIONS, {"above": float("inf")}, "above", "out_of_range"),
        (RuleKind.COST, {"above": -1}, "above", "out_of_range"),
        (RuleKind.COST, {"above": 1e300}, "above", "out_of_range"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_field(kind: RuleKind, given: dict[str, object], field: str, code: str) -> None:
    with pytest.raises(RequestError) as refused:
        rule_of("one", kind, **given)  # type: ignore[arg-type]
    assert (refused.value.errors[0].field, refused.value.code) == (field, code)


def test_what_a_kind_does_not_need_is_left_out() -> None:
    silence = rule_of("two", RuleKind.SILENCE, phrase="cancel", speaker=RuleSpeaker.CUSTOMER, above=8)
    assert (silence.phrase, silence.speaker, silence.above) == ("", RuleSpeaker.EITHER, 8.0)
    assert keyword(above=7).above == 0


def test_rules_are_the_same_after_they_were_stored() -> None:
    rules = [
        keyword('<b>"cancel"</b> \\ (a+)+ ü', effects=(Effect.SOUND,)),
        rule_of("two", RuleKind.COST, above=1.5),
        rule_of("three", RuleKind.INTERRUPTIONS, above=3, speaker=RuleSpeaker.ASSISTANT, effects=()),
    ]
    assert list(loaded(dumped(rules)).values()) == rules
    assert loaded("") == {}


def test_a_kind_of_a_newer_version_is_left_out() -> None:
    text = dumped([keyword()])
    assert loaded(text.replace('"keyword"', '"mood"')) == {}
    assert loaded(text.replace('["badge", ', '["hologram", "badge", ')) == {"one": keyword()}


def test_only_a_rule_that_looks_for_something_else_begins_anew() -> None:
    rule = keyword()
    assert altered(rule, now=LATER, effects=()).since == NOW
    assert altered(rule, now=LATER, on=True).since == NOW
    assert altered(rule, now=LATER, phrase="refund").since == LATER
    off = altered(rule, now=LATER, on=False)
    assert (off.since, off.phrase) == (None, "cancel")
    assert altered(off, now=LATER, on=True).since == LATER
    assert altered(off, now=LATER, phrase="refund").since is None
    assert altered(rule, now=LATER, kind=RuleKind.SILENCE, above=9).kind is RuleKind.SILENCE
    with pytest.raises(RequestError):
        altered(rule, now=LATER, kind=RuleKind.SILENCE)


def test_an_alert_is_the_same_after_it_was_stored() -> None:
    alert = Alert(call_id="one", rule=keyword(), at=NOW, said="I want to cancel")
    assert load("one", dump(alert)) == alert
    assert len(quote("x" * 1000)) == 300
