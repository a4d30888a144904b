"""The page's catalogues hold whatever the page asks them for, in both languages alike."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import services.journal  # noqa: F401 - it has an error of its own
from services.domain import errors
from services.domain.call import CallStatus
from services.support.language import preferred_language
from services.vapi.ended_reasons import Family, explain
from ui.words import CATALOGUES, STATUS, both, say
from ui.words.english import ENGLISH
from ui.words.german import GERMAN
from ui.words.german_faults import ADVICE, ENDED, FAMILIES, FAULTS, TITLES

UI = Path(__file__).resolve().parents[2] / "ui"
VAPIS_OWN_WORDS = {"vapi_refused"}


def asked_for() -> Iterator[str]:
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "parts"):
                yield from spelled_out(node.args[0])


def spelled_out(name: ast.expr) -> Iterator[str]:
    if isinstance(name, ast.Constant):
        yield str(name.value)
    elif isinstance(name, ast.IfExp):
        yield from (*spelled_out(name.body), *spelled_out(name.orelse))


def gaps(text: str) -> set[str]:
    return {gap for _, gap, _, _ in Formatter().parse(text) if gap}


def error_classes(root: type[errors.EarshotError] = errors.EarshotError) -> Iterator[type[errors.EarshotError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from error_classes(kind)


def test_every_text_asked_for_by_name_is_there() -> None:
    names = set(asked_for())
    assert len(names) > 30
    assert names - ENGLISH.keys() == set()


def test_both_catalogues_have_the_same_texts_with_the_same_gaps() -> None:
    assert ENGLISH.keys() == GERMAN.keys()
    assert {key for key in ENGLISH if gaps(ENGLISH[key]) != gaps(GERMAN[key])} == set()
    assert {key for key in ENGLISH if bool(ENGLISH[key]) != bool(GERMAN[key])} == set()


@pytest.mark.parametrize("status", CallStatus)
def test_every_state_has_a_word(status: CallStatus) -> None:
    assert STATUS[status]
    assert all(f"state_{status.name.lower()}" in catalogue for catalogue in CATALOGUES.values())


def test_names_are_joined_as_people_join_them() -> None:
    assert [both(tuple("abc"[:count])) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_outside_of_a_page_texts_are_english() -> None:
    assert say("call") == ENGLISH["call"]


def test_every_error_that_the_page_can_meet_has_german_words() -> None:
    kinds = [kind for kind in error_classes() if kind.__module__.startswith("services.") and kind.code != "internal_error"]
    assert len(kinds) > 15
    assert {kind.title for kind in kinds} - TITLES.keys() == set()
    codes = {kind.code for kind in kinds} - {"unauthorized", "invalid_request", "idempotency_key_reused", "idempotency_in_progress"}
    assert codes - FAULTS.keys() - VAPIS_OWN_WORDS == set()


def test_every_way_to_end_has_german_words() -> None:
    assert set(Family) == set(FAMILIES) == set(ADVICE)
    assert {code for code in ENDED if explain(code).title == code} == set()


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "", "en"),
        ("fr-CH, fr;q=0.9, de;q=0.7, en;q=0.3", "", "de"),
        ("de;q=0", "", "en"),
        ("de;q=nonsense, en;q=0.1", "", "en"),
        ("", "", "en"),
        ("*", "", "en"),
        ("en", "de", "de"),
        ("de", "en", "en"),
        ("de", "<script>", "de"),
    ],
)
def test_a_browser_is_answered_in_the_language_that_it_asks_for(accepted: str, chosen: str, language: str) -> None:
    assert preferred_language(accepted, chosen) == language
