"""Each language's file has all texts that the code asks for, no others, and the placeholders and plural forms they need."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from babel import Locale
from vapi.types import CallEndedReason

import services.web.access.join
import services.web.access.login
import services.web.access.oidc.pages
import ui.pages
from services.demo_line.conversation import SUMMARY, SUMMARY_CUT_SHORT
from services.desk.call_control import Obstacle
from services.desk.calls.timeline import ACTIONS
from services.dialling.switch import FILE
from services.domain import errors
from services.domain.call import CallStatus
from services.domain.caps import CAPS
from services.domain.client import LOCAL, PAGE
from services.domain.consent import RecordingMode
from services.domain.person import Role
from services.domain.speech import Speaker
from services.domain.voicemail import Voicemail
from services.recording.problems import PROBLEMS
from services.support import words
from services.support.words import ENGLISH, FOLDER, Text, catalogue, languages
from services.vapi.ended_reasons import Family, explain
from services.vapi.ended_sentences import FAULTS, FORMS, SENTENCES
from services.web.access.oidc.failures import Reason

_LOGIN_MODULES = (services.web.access.login, services.web.access.join, services.web.access.oidc.pages)
LOGIN = [Path(module.__file__ or "") for module in _LOGIN_MODULES]
PAGE_SOURCES = sorted(Path(ui.pages.__file__).parent.rglob("*.py"))
ASKS = {"say", "text", "parts", "_say"}
FROM_THE_DOMAIN = {
    *Role,
    *Reason,
    "too_many",
    *(name.lower() for enum in (CallStatus, Family, Obstacle) for name in enum.__members__),
    *(status.value for status in CallStatus),
    *(way.value for way in Voicemail),
    *(mode.value for mode in RecordingMode),
    *get_args(Speaker),
    *(cap.name for cap in CAPS),
    *PROBLEMS,
    *ACTIONS,
    *(PAGE.name, LOCAL.name, FILE),
}
VAPIS_OWN_WORDS = {"vapi_refused"}
NEVER_ON_THE_PAGE = {
    *("unauthorized", "invalid_request", "idempotency_key_reused", "idempotency_in_progress", "internal_error"),
    *("nobody_to_confirm", "dial_refused", "confirmed_dial_failed"),
}
TRANSLATIONS = [tag for tag in languages() if tag != ENGLISH]


@cache
def parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text())


def literals(source: Path) -> set[str]:
    """Every string in a source, and each word of it: some lists of keys are one string."""
    found = {node.value for node in ast.walk(parsed(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | {word for text in found for word in text.split()}


def asked(source: Path) -> Iterator[str | ast.JoinedStr]:
    """The keys that a source asks for by name, and the patterns that it makes keys of."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in ASKS and node.args:
                yield from spelled(node.args[0])
        elif isinstance(node, ast.DictComp):
            yield from (part for part in ast.walk(node.value) if isinstance(part, ast.JoinedStr))


def spelled(key: ast.expr) -> Iterator[str | ast.JoinedStr]:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield key.value
    elif isinstance(key, ast.JoinedStr):
        yield key
    elif isinstance(key, ast.IfExp):
        yield from (*spelled(key.body), *spelled(key.orelse))


def made_of(pattern: ast.JoinedStr, known: set[str]) -> set[str]:
    """The keys of English that a pattern makes of strings the source or the domain knows."""
    filled = "|".join(text for text in known if re.fullmatch(r"[\w-]*", text))
    regex = "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else f"(?:{filled})" for part in pattern.values)
    return {key for key in catalogue(ENGLISH).texts if re.fullmatch(regex, key)}


@cache
def used() -> set[str]:
    """Every key that the page and the login can ask for."""
    keys: set[str] = set()
    for source in (*PAGE_SOURCES, *LOGIN):
        strings = literals(source)
        known = strings | FROM_THE_DOMAIN
        for key in asked(source):
            keys |= {key} if isinstance(key, str) else made_of(key, known)
        keys |= strings & catalogue(ENGLISH).texts.keys()
    statuses = {status.value for status in (CallStatus.UNKNOWN, CallStatus.SCHEDULED, CallStatus.FORWARDING)}
    return keys | statuses


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def forms(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def error_classes(root: type[errors.EarshotError] = errors.EarshotError) -> Iterator[type[errors.EarshotError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__.startswith("services."):
            yield from error_classes(kind)


@cache
def sentences() -> set[str]:
    """Every English sentence that the services say and a translation is asked for."""
    said = {kind.title for kind in error_classes()}
    said |= {sentence for pair in SENTENCES.values() for sentence in pair if sentence}
    said |= {SUMMARY, SUMMARY_CUT_SHORT}
    said |= {sentence for _, *pair in (*FAULTS, *FORMS) for sentence in pair if sentence}

    def collect(english: str) -> str:
        said.add(english)
        return english

    for code in (None, *SENTENCES, *get_args(get_args(CallEndedReason)[0])):
        explain(code, "an error", translate=collect)
    return said - {""}


@cache
def services_source() -> str:
    return "".join(path.read_text() for path in (FOLDER.parent / "services").rglob("*.py"))


@pytest.mark.slow
def test_the_code_asks_for_a_text_in_many_places() -> None:
    assert len(used()) > 250
    assert len(sentences()) > 150


def test_english_has_every_text_that_is_asked_for_and_no_other() -> None:
    texts = catalogue(ENGLISH).texts.keys()
    assert used() - texts == set()
    assert texts - used() == set()


@pytest.mark.parametrize("tag", TRANSLATIONS)
def test_a_translation_has_the_texts_of_english_and_no_others(tag: str) -> None:
    english, translated = catalogue(ENGLISH).texts, catalogue(tag).texts
    assert english.keys() - translated.keys() == set()
    assert translated.keys() - english.keys() == set()
    assert {key for key, text in translated.items() if not all(forms(text))} == set()


@pytest.mark.parametrize("tag", TRANSLATIONS)
def test_a_translation_has_every_sentence_of_the_services_and_no_other(tag: str) -> None:
    assert sentences() - catalogue(tag).sentences.keys() == set()
    assert catalogue(tag).sentences.keys() - sentences() == set()
    assert all(catalogue(tag).sentences.values())


@pytest.mark.parametrize("tag", TRANSLATIONS)
def test_a_translation_has_a_text_for_every_error_on_the_page(tag: str) -> None:
    codes = {kind.code for kind in error_classes()} - VAPIS_OWN_WORDS - NEVER_ON_THE_PAGE
    assert len(codes) > 15
    assert codes - catalogue(tag).faults.keys() == set()
    assert catalogue(tag).faults.keys() == catalogue("de").faults.keys()
    assert {code for code in catalogue(tag).faults if f'"{code}"' not in services_source()} == set()


@pytest.mark.parametrize("tag", languages())
def test_placeholders_are_those_of_english(tag: str) -> None:
    english, own = catalogue(ENGLISH), catalogue(tag)
    for key, text in own.texts.items():
        plural = not isinstance(text, str)
        assert plural != isinstance(english.texts[key], str), key
        wanted = set[str]().union(*(placeholders(form) for form in forms(english.texts[key])))
        for form in forms(text):
            assert placeholders(form) == wanted or (plural and placeholders(form) == wanted - {"count"}), (key, form)
    for sentence, translated in own.sentences.items():
        assert placeholders(sentence) == placeholders(translated), sentence
    assert not any(map(placeholders, own.faults.values()))


@pytest.mark.parametrize("tag", languages())
def test_plurals_have_every_form_that_whole_numbers_need(tag: str) -> None:
    needed = {Locale.parse(tag, sep="-").plural_form(count) for count in range(1000)} | {"other"}
    plurals = {key: text for key, text in catalogue(tag).texts.items() if not isinstance(text, str)}
    assert plurals
    assert {key: set(text) for key, text in plurals.items()} == dict.fromkeys(plurals, needed)


def test_plurals_follow_the_rules_of_their_language() -> None:
    assert [catalogue(ENGLISH).say("end_all_done", count=count) for count in (1, 2)] == ["The call has ended.", "2 calls have ended."]
    assert catalogue("de").say("end_all_done", count=0) == "0 Gespräche sind beendet."
    assert catalogue("fr").say("end_all_sure", count=0) == "Appuyez encore pour le terminer"  # 0 is singular in French
    polish = {"one": "{count} rozmowa", "few": "{count} rozmowy", "many": "{count} rozmów", "other": "{count} rozmowy"}
    said = [words.form("pl", polish, count).format(count=count) for count in (1, 2, 5, 22)]
    assert said == ["1 rozmowa", "2 rozmowy", "5 rozmów", "22 rozmowy"]


def test_two_sections_with_the_same_key_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    (tmp_path / "xx.toml").write_text('name = "X"\n[one]\nkey = "a"\n[two]\nkey = "b"\n')
    with pytest.raises(ValueError, match="twice: key"):
        catalogue("xx")
