"""The dialog of rules: the Python side of rules.js."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.judging.rule_trial import Trial
from services.domain.errors import EarshotError
from services.domain.rule import LONGEST_PHRASE, RANGES, WITH_SPEAKER, Effect, Rule, RuleKind, RuleSpeaker, altered, rule_of
from services.support.root_path import address
from ui.kit.following import follow
from ui.kit.given import fields_of
from ui.kit.markup import set_props
from ui.kit.times import FORMATS, milliseconds
from ui.kit.visitor import visitor
from ui.words import say
from ui.words.alerts import found_words, rule_words
from ui.words.calls import who
from ui.words.faults import error_words

OPEN_RULES = "() => document.dispatchEvent(new CustomEvent('earshot-rules'))"
"""What a press of a button that opens the dialog does in the browser."""

_LISTED = 20  # calls of a trial
_MAX_FIELD = 10 * LONGEST_PHRASE  # characters that are looked at, of which too many are refused

_WORDS = {
    "title": "rules",
    "explained": "rules_explained",
    "kind": "rules_kind",
    "phrase": "rules_phrase",
    "above": "rules_above",
    "speaker": "rules_speaker",
    "effects": "rules_effects",
    "add": "rules_add",
    "change": "contact_change",
    "cancel": "cancel",
    "try": "rules_try",
    "trying": "rules_trying",
    "none": "rules_none",
    "on": "rules_on",
    "edit": "contact_edit_short",
    "remove": "delete",
    "sure": "rules_sure",
    "close": "close",
}
_KINDS = {
    RuleKind.KEYWORD: ("rules_kind_keyword", ""),
    RuleKind.SILENCE: ("rules_kind_silence", "rules_seconds"),
    RuleKind.SLOW_ANSWER: ("rules_kind_slow_answer", "rules_seconds"),
    RuleKind.SLOW_ANSWERS: ("rules_kind_slow_answers", "rules_seconds"),
    RuleKind.INTERRUPTIONS: ("rules_kind_interruptions", "rules_times"),
    RuleKind.COST: ("rules_kind_cost", "rules_dollars"),
}
_SPEAKERS = {RuleSpeaker.CUSTOMER: "customer", RuleSpeaker.ASSISTANT: "assistant", RuleSpeaker.EITHER: "rules_either"}
_EFFECTS = {
    Effect.MARK: "rules_mark",
    Effect.BADGE: "rules_badge",
    Effect.NOTIFICATION: "rules_notification",
    Effect.SOUND: "rules_sound",
    Effect.WEBHOOK: "rules_webhook",
}
_JUDGED = {RuleKind.KEYWORD: "rules_judged_keyword", RuleKind.COST: "rules_judged_cost"}

C = TypeVar("C", bound=StrEnum)


class RulesDialog(Element, component="rules.js", dependencies=[FORMATS]):
    """Hidden until it is opened, for visitors with the scope `manage`. A new rule is off, so that it can be tried first."""

    def __init__(self, *, desk: CallDesk) -> None:
        super().__init__()
        self._desk = desk
        self._rules = desk.rules
        self._opened = False
        kinds = {
            kind.value: {
                "name": say(name),
                "unit": say(unit) if unit else "",
                "range": RANGES.get(kind),
                "speaker": kind in WITH_SPEAKER,
            }
            for kind, (name, unit) in _KINDS.items()
        }
        set_props(
            self,
            words={key: say(name) for key, name in _WORDS.items()},
            kinds=kinds,
            speakers={speaker.value: say(name) for speaker, name in _SPEAKERS.items()},
            effects={effect.value: say(name) for effect, name in _EFFECTS.items()},
            longest=LONGEST_PHRASE,
        )
        for event, handler in (
            ("opened", self._open),
            ("save", self._save),
            ("switch", self._switch),
            ("remove", self._remove),
            ("try", self._try),
        ):
            self.on(event, handler)
        follow(desk.rules.changed, lambda _: self._show())

    def _open(self) -> None:
        self._opened = True
        self._show()

    def _show(self, **answer: str) -> None:
        if self._opened:
            self.run_method("show", [_plain(rule) for rule in self._rules.all()], answer)

    async def _save(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        fields = _fields(given)
        try:
            if rule_id := _text(given.get("id")):
                rule = await self._rules.alter(rule_id, partial(altered, now=self._rules.now(), **fields), visitor())
            else:
                rule = await self._rules.add(partial(rule_of, **fields), visitor())
        except EarshotError as error:
            self._show(problem=error_words(error)[1])
        else:
            self._show(told=say("rules_saved" if rule.on else "rules_saved_off", rule=rule_words(rule)))

    async def _switch(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        change = partial(altered, now=self._rules.now(), on=given.get("on") is True)
        try:
            await self._rules.alter(_text(given.get("id")), change, visitor())
        except EarshotError as error:
            self._show(problem=error_words(error)[1])

    async def _remove(self, event: GenericEventArguments) -> None:
        try:
            await self._rules.remove(_text(event.args), visitor())
        except EarshotError as error:
            self._show(problem=error_words(error)[1])

    async def _try(self, event: GenericEventArguments) -> None:
        try:
            rule = rule_of("", **_fields(fields_of(event)))
            trial = await self._desk.trials.try_(rule, visitor())
        except EarshotError as error:
            self.run_method("tried", {"problem": error_words(error)[1]})
        else:
            self.run_method("tried", self._found(rule, trial))

    def _found(self, rule: Rule, trial: Trial) -> dict[str, Any]:
        """What a trial found, in words, and the newest calls."""
        if not trial.looked_at:
            return {"said": say("rules_tried_nothing"), "calls": []}
        count = len(trial.matches)
        said = say("rules_tried" if count else "rules_tried_none", count=count, calls=str(trial.looked_at))
        judged = say(_JUDGED.get(rule.kind, "rules_judged_measured"), count=trial.judged)
        calls = [
            {
                "href": address(f"/?call={match.call.id}"),
                "who": who(self._desk, match.call),
                "at": milliseconds(match.call.created_at),
                "what": match.said or found_words(rule, match.amount or 0.0),
            }
            for match in trial.matches[:_LISTED]
        ]
        return {"said": f"{said} {judged}", "calls": calls}


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "sentence": rule_words(rule),
        "kind": rule.kind.value,
        "phrase": rule.phrase,
        "speaker": rule.speaker.value,
        "above": None if rule.kind is RuleKind.KEYWORD else rule.above,
        "effects": sorted(rule.effects),
        "on": rule.on,
    }


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """What describes a rule, of the types that it has to have. Anything else is left out, and refused where it is needed."""
    above = given.get("above")
    effects = given.get("effects")
    chosen = effects if isinstance(effects, list) else []
    return {
        "kind": _chosen(RuleKind, given.get("kind")) or RuleKind.KEYWORD,
        "phrase": _text(given.get("phrase")),
        "speaker": _chosen(RuleSpeaker, given.get("speaker")),
        "above": float(above) if isinstance(above, int | float) and abs(above) < 1e9 else None,
        "effects": [effect for effect in Effect if effect.value in chosen],
    }


def _chosen(choices: type[C], value: object) -> C | None:
    return next((choice for choice in choices if choice.value == value), None)


def _text(value: object) -> str:
    return value[:_MAX_FIELD] if isinstance(value, str) else ""
