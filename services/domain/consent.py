"""Whether a call may be recorded: the owner's rule for the country that is called, and what it means for one call. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.domain.errors import FieldError, RequestError

LONGEST_SENTENCE = 300
"""Characters."""

SENTENCES: Mapping[str, str] = {
    "de": "Dieses Gespräch wird aufgezeichnet.",
    "en": "This call is recorded.",
    "es": "Esta llamada se graba.",
    "fr": "Cet appel est enregistré.",
}
"""The announcement by language, unless the owner has written another."""

_REGION = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class RecordingMode(StrEnum):
    """The owner's rule. The stricter ones come first: of several that could apply, the first one does."""

    OFF = "off"
    """Never recorded, here or at Vapi."""
    ASK = "ask"
    """Recorded only if somebody says, before the dial or before a recording is started, that it is agreed."""
    ANNOUNCE = "announce"
    """The assistant says first that the call is recorded."""
    ALLOWED = "allowed"
    """Earshot adds nothing."""


class Consent(StrEnum):
    """What the rule meant for a call as it was placed."""

    FORBIDDEN = "forbidden"
    NOT_AGREED = "not-agreed"
    AGREED = "agreed"
    ANNOUNCED = "announced"

    @property
    def records(self) -> bool:
        return self in (Consent.AGREED, Consent.ANNOUNCED)


class MayRecord(StrEnum):
    """Whether a recording of a call may be started: `IF_AGREED` only by somebody who says that it is agreed."""

    YES = "yes"
    IF_AGREED = "if-agreed"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRules:
    """`default` holds for countries without a rule of their own in `regions` (ISO 3166). `sentences` are the owner's, by language."""

    default: RecordingMode = RecordingMode.ALLOWED
    regions: Mapping[str, RecordingMode] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)

    def mode(self, regions: Iterable[str]) -> RecordingMode:
        """The strictest mode of these countries, one of which is called; the default if there are none."""
        found = {self.regions.get(region, self.default) for region in regions} or {self.default}
        return next(mode for mode in RecordingMode if mode in found)

    def sentence(self, languages: Iterable[str]) -> str:
        """The announcement in the first of these languages that has one, else in English."""
        known = {**SENTENCES, **self.sentences}
        return next((known[language] for language in languages if language in known), known["en"])

    def dump(self) -> str:
        return json.dumps({"default": self.default, "regions": dict(self.regions), "sentences": dict(self.sentences)})


def checked(default: str, regions: Mapping[str, str], sentences: Mapping[str, str]) -> RecordingRules:
    """The rules as entered. An empty sentence stands for Earshot's own. Raises RequestError."""
    modes = set(RecordingMode)
    for region, mode in {"default": default, **regions}.items():
        if mode not in modes:
            raise _wrong("default" if region == "default" else f"regions.{region[:8]}", f"One of {', '.join(RecordingMode)}.")
    for region in regions:
        if not _REGION.fullmatch(region):
            raise _wrong("regions", "Name countries by their ISO 3166 code, such as DE.")
    for language, sentence in sentences.items():
        if not _LANGUAGE.fullmatch(language):
            raise _wrong("sentences", "Name languages by their code, such as de.")
        if len(sentence) > LONGEST_SENTENCE or _CONTROL.search(sentence):
            raise _wrong(f"sentences.{language}", f"One line of at most {LONGEST_SENTENCE} characters.")
    return RecordingRules(
        default=RecordingMode(default),
        regions={region: RecordingMode(mode) for region, mode in sorted(regions.items())},
        sentences={language: text.strip() for language, text in sorted(sentences.items()) if text.strip()},
    )


def parse(text: str) -> RecordingRules:
    """The rules as the journal keeps them. Rules that can't be read let nothing be recorded."""
    if not text:
        return RecordingRules()
    try:
        row = json.loads(text)
        return checked(row["default"], row["regions"], row["sentences"])
    except (ValueError, TypeError, KeyError, AttributeError, RequestError):
        return RecordingRules(default=RecordingMode.OFF)


def _wrong(name: str, detail: str) -> RequestError:
    return RequestError(f"{name}: {detail}", errors=[FieldError(name, detail)])
