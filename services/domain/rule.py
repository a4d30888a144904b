"""Rules: what in a call somebody wants to be alerted to, and how. Pure."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.domain.errors import FieldError, RequestError
from services.domain.phrases import phrase as phrase_of
from services.domain.text import clean_text

MOST_RULES = 50
ANY_RULE = "any"
"""Stands for any rule where a rule's id is expected."""
LONGEST_PHRASE = 100
"""Characters."""


class RuleKind(StrEnum):
    """What a rule looks for."""

    KEYWORD = "keyword"
    """`phrase` is said by `speaker`."""
    SILENCE = "silence"
    """Nobody speaks for more than `above` seconds."""
    SLOW_ANSWER = "slow-answer"
    """One answer of the assistant takes more than `above` seconds."""
    SLOW_ANSWERS = "slow-answers"
    """The median of the assistant's answers is more than `above` seconds."""
    INTERRUPTIONS = "interruptions"
    """There are more than `above` interruptions by `speaker`."""
    COST = "cost"
    """The call costs more than `above` US dollars."""


class RuleSpeaker(StrEnum):
    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    EITHER = "either"


class Effect(StrEnum):
    """What an alert does besides being listed in its call and sent to the call's followers."""

    MARK = "mark"
    """Marks the lines of the transcript in which the keyword is."""
    BADGE = "badge"
    NOTIFICATION = "notification"
    SOUND = "sound"
    WEBHOOK = "webhook"


WITH_SPEAKER = (RuleKind.KEYWORD, RuleKind.INTERRUPTIONS)

RANGES: dict[RuleKind, tuple[float, float]] = {
    RuleKind.SILENCE: (3, 3600),  # a shorter pause is no silence
    RuleKind.SLOW_ANSWER: (0.1, 600),
    RuleKind.SLOW_ANSWERS: (0.1, 600),
    RuleKind.INTERRUPTIONS: (0, 1000),
    RuleKind.COST: (0, 10_000),
}
"""The least and the greatest `above` of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`since` is when it was switched on; None: it is off. Words, silences and single answers from before are ignored."""

    id: str
    kind: RuleKind
    phrase: str = ""
    speaker: RuleSpeaker = RuleSpeaker.EITHER
    above: float = 0.0
    effects: frozenset[Effect] = frozenset(Effect)
    since: datetime | None = None

    @property
    def on(self) -> bool:
        return self.since is not None


def rule_of(
    id_: str,
    kind: RuleKind,
    *,
    phrase: str | None = None,
    speaker: RuleSpeaker | None = None,
    above: float | None = None,
    effects: Collection[Effect] = tuple(Effect),
    since: datetime | None = None,
) -> Rule:
    """A rule from what was typed or sent. What its kind does not need is left out. Raises RequestError."""
    words, limit = "", 0.0
    if kind is RuleKind.KEYWORD:
        words = _phrase(phrase or "")
    else:
        limit = _above(kind, above)
    return Rule(
        id=id_,
        kind=kind,
        phrase=words,
        speaker=speaker or RuleSpeaker.EITHER if kind in WITH_SPEAKER else RuleSpeaker.EITHER,
        above=limit,
        effects=frozenset(effects),
        since=since,
    )


def altered(
    rule: Rule,
    *,
    now: datetime,
    kind: RuleKind | None = None,
    phrase: str | None = None,
    speaker: RuleSpeaker | None = None,
    above: float | None = None,
    effects: Collection[Effect] | None = None,
    on: bool | None = None,
) -> Rule:
    """The rule with what is given changed. One that looks for something else begins at `now`. Raises RequestError."""
    after = rule_of(
        rule.id,
        kind or rule.kind,
        phrase=rule.phrase if phrase is None else phrase,
        speaker=speaker or rule.speaker,
        above=rule.above if above is None else above,
        effects=rule.effects if effects is None else effects,
        since=rule.since,
    )
    if not (rule.on if on is None else on):
        return replace(after, since=None)
    same = (after.kind, after.phrase, after.speaker, after.above) == (rule.kind, rule.phrase, rule.speaker, rule.above)
    return after if rule.on and same else replace(after, since=now)


def _phrase(text: str) -> str:
    if len(text) > LONGEST_PHRASE:
        raise _wrong("phrase", f"A phrase has at most {LONGEST_PHRASE} characters.", code="long_phrase")
    words = " ".join(clean_text(text, most=LONGEST_PHRASE).split())
    if not phrase_of(words):
        raise _wrong("phrase", "Write the word or phrase to listen for.", code="no_phrase")
    return words


def _above(kind: RuleKind, above: float | None) -> float:
    least, greatest = RANGES[kind]
    counts = kind is RuleKind.INTERRUPTIONS
    if above is None or not least <= above <= greatest or (counts and above != int(above)):
        number = "a whole number" if counts else "a number"
        raise _wrong("above", f"Set {number} from {least:g} to {greatest:g}.", code="out_of_range")
    return float(above)


def _wrong(field: str, why: str, *, code: str) -> RequestError:
    return RequestError(why, code=code, errors=[FieldError(field, why)])


def too_many() -> RequestError:
    return RequestError(f"There can be {MOST_RULES} rules at most.", code="too_many_rules")


def stored(rule: Rule) -> dict[str, Any]:
    """A rule as JSON has it in the journal."""
    return {
        "id": rule.id,
        "kind": rule.kind.value,
        "phrase": rule.phrase,
        "speaker": rule.speaker.value,
        "above": rule.above,
        "effects": sorted(rule.effects),
        "since": rule.since.isoformat() if rule.since else None,
    }


def readable(one: dict[str, Any]) -> bool:
    """False for a rule of a newer version that this one does not know the kind or the speaker of."""
    return one["kind"] in {kind.value for kind in RuleKind} and one["speaker"] in {speaker.value for speaker in RuleSpeaker}


def read_stored(one: dict[str, Any]) -> Rule:
    """What `stored` gave, if it is `readable`. Fields and effects that a newer version has added are left out."""
    return Rule(
        id=one["id"],
        kind=RuleKind(one["kind"]),
        phrase=one["phrase"],
        speaker=RuleSpeaker(one["speaker"]),
        above=one["above"],
        effects=frozenset(effect for effect in Effect if effect.value in one["effects"]),
        since=datetime.fromisoformat(one["since"]) if one["since"] else None,
    )


def dumped(rules: Iterable[Rule]) -> str:
    """The rules as the journal keeps them: one per line, as JSON."""
    return "".join(json.dumps(stored(rule), ensure_ascii=False) + "\n" for rule in rules)


def loaded(text: str) -> dict[str, Rule]:
    """What `dumped` wrote, by id. Without rules of a newer version that are not `readable`."""
    read = (json.loads(line) for line in text.split("\n") if line)
    return {one["id"]: read_stored(one) for one in read if readable(one)}
