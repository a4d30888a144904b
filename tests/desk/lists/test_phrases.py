"""Quick phrases: replaced as a whole, followed by every process, by the owner alone."""

from typing import Any

import pytest

from services.desk.lists.phrases import LONGEST, MOST, Phrases, checked
from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, RequestError
from services.journal import Journal

OWNER = Client(name="owner", scopes=frozenset(Scope))


class Audit:
    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, client: Client, action: str, **more: Any) -> Any:
        self.notes.append((f"{client.name} {action}", more))


@pytest.mark.asyncio
async def test_they_are_kept_followed_and_audited_without_their_words(journal: Journal) -> None:
    audit = Audit()
    one, other = Phrases(journal, audit), Phrases(journal, audit)
    heard: list[None] = []
    one.changed.subscribe(heard.append)
    await one.replace("  One   moment, please. \n\nOne moment, please.\nThank you!", OWNER)
    assert one.all == ("One moment, please.", "Thank you!")
    assert len(heard) == 1
    await other.load()
    assert other.all == one.all
    one.follow("[]", -5)
    assert one.all == other.all
    await one.replace("", OWNER)
    assert not one.all
    assert audit.notes == [("owner change-phrases", {"detail": "2"}), ("owner change-phrases", {"detail": "0"})]


@pytest.mark.asyncio
async def test_only_an_owner_changes_them(journal: Journal) -> None:
    phrases = Phrases(journal, Audit())
    with pytest.raises(Forbidden):
        await phrases.replace("Hi", Client(name="eve", scopes=frozenset(set(Scope) - {Scope.MANAGE})))
    await phrases.load()
    assert not phrases.all


@pytest.mark.parametrize("text", ["\n".join(map(str, range(MOST + 1))), "x" * (LONGEST + 1), "a\x00b", "right\u202eleft"])
def test_too_many_too_long_and_unprintable_ones_are_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        checked(text)
    assert refused.value.code == "invalid_phrases"


def test_the_most_and_the_longest_are_taken() -> None:
    assert len(checked("\n".join(map(str, range(MOST))))) == MOST
    assert checked("ü" * LONGEST) == ["ü" * LONGEST]
