"""The names of what the audit holds: whatever the services write there has one in the page's language."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.journal import AuditRow, DialState
from ui.audit.named import _NAMED, outcome_name

SERVICES = Path(__file__).parents[2] / "services"


def written() -> Iterator[str]:
    """The action in every call of a `note` and in every `action=` of a row."""
    for file in SERVICES.rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            called = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if called in ("note", "_note") and len(call.args) > 1 and "_problems" not in ast.unparse(call.func):  # not of a recording
                yield from constants(call.args[1])
            if called == "AuditRow":
                yield from (text for word in call.keywords if word.arg == "action" for text in constants(word.value))


def constants(value: ast.expr) -> Iterator[str]:
    found = (node.value for node in ast.walk(value) if isinstance(node, ast.Constant))
    return (text for text in found if isinstance(text, str))


@pytest.mark.slow
def test_everything_that_is_written_has_a_name() -> None:
    actions = set(written())
    assert {"dial", "listen", "erase-number", "login"} <= actions
    assert actions - _NAMED == set()


def test_a_dial_whose_call_was_never_found_says_so() -> None:
    row = AuditRow(at=datetime.now(UTC), who="page", action="dial", outcome=DialState.LOST)
    assert outcome_name(row) == "Never found"
