"""The page's catalogue of texts holds whatever the page asks it for."""

import ast
from collections.abc import Iterator
from pathlib import Path

from services.call import CallStatus
from ui.words import ENGLISH, STATUS, both

UI = Path(__file__).resolve().parents[2] / "ui"


def asked_for() -> Iterator[str]:
    for path in UI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "parts"):
                yield from spelled_out(node.args[0])


def spelled_out(name: ast.expr) -> Iterator[str]:
    if isinstance(name, ast.Constant):
        yield str(name.value)
    elif isinstance(name, ast.IfExp):
        yield from (*spelled_out(name.body), *spelled_out(name.orelse))


def test_every_text_asked_for_by_name_is_there() -> None:
    names = set(asked_for())
    assert len(names) > 30
    assert names - ENGLISH.keys() == set()


def test_every_state_has_a_word() -> None:
    assert set(STATUS) == set(CallStatus)


def test_names_are_joined_as_people_join_them() -> None:
    assert [both(tuple("abc"[:count])) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
