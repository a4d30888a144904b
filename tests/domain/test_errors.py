"""The tree of errors is as its docstring draws it."""

import re
from collections.abc import Iterator

import pytest

from services.domain import errors
from services.domain.errors import EarshotError, LimitReached

DRAWN = re.compile(r"^(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<status>\d{3})\b)?")


def drawn() -> Iterator[tuple[str, str, int | None]]:
    """The name, the parent's name and the status of each error in the drawing."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[2:]:
        found = DRAWN.match(line)
        assert found, line
        depth = len(found["branch"]) // 4
        above = [*above[:depth], found["name"]]
        yield found["name"], above[depth - 1] if depth else "Exception", int(found["status"]) if found["status"] else None


def tree(kind: type[EarshotError]) -> Iterator[type[EarshotError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below)


def test_every_error_is_drawn_below_its_parent() -> None:
    assert {name: parent for name, parent, _ in drawn()} == {kind.__name__: kind.__bases__[0].__name__ for kind in tree(EarshotError)}


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, _, status in drawn() if status])
def test_an_error_has_the_status_that_is_drawn(name: str, status: int) -> None:
    assert getattr(errors, name).status == status


def test_only_what_may_go_away_by_itself_is_worth_a_retry() -> None:
    assert {kind.__name__ for kind in tree(EarshotError) if kind.retryable} == {
        "KeyInProgress",
        "LimitReached",
        "NobodyToConfirm",
        "ShuttingDown",
        "RecordingUnfinished",
        "StoreError",
        "JournalError",
        "Unwritable",
        "HangUpUnconfirmed",
        "VapiUnavailable",
    }


@pytest.mark.parametrize(("most", "words"), [(1, "At most 1 call at once"), (3, "At most 3 calls at once")])
def test_a_limit_is_counted_in_words(most: int, words: str) -> None:
    assert LimitReached.at_once(most).detail.startswith(words)
