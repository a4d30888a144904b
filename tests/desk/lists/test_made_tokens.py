"""Tokens that are made on the page: in every process, after a restart, until they are revoked or expire; and only as hashes."""

import asyncio
import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.lists.made_tokens import STATE, MadeTokens
from services.domain.api_token import MOST_TOKENS, loaded
from services.domain.client import PAGE, Scope
from services.domain.errors import RequestError
from services.journal import Journal
from tests.desks import desk_in
from tests.journal.conftest import Clock
from tests.patience import HANG_S


async def opened(journal: Journal, noted: list[Any] | None = None, **more: Any) -> MadeTokens:
    def note(client: object, action: str, *, outcome: str, detail: str) -> Any:
        (noted if noted is not None else []).append((client, action, detail))

    tokens = MadeTokens(journal, note, **more)
    await tokens.load()
    return tokens


async def test_a_token_is_its_name_and_scopes_until_it_is_revoked(journal: Journal) -> None:
    noted: list[Any] = []
    tokens = await opened(journal, noted)
    assert not tokens
    text = await tokens.make("crm", ["call", "read"], 30, PAGE)
    found = tokens.find(text)
    assert found
    assert (found.client.name, found.client.scopes) == ("crm", frozenset({Scope.CALL, Scope.READ}))
    for wrong in ("", text + "x", text[:-1], text.upper(), "\ud800"):
        assert tokens.find(wrong) is None
    again = await opened(journal)
    assert again.find(text) == found
    assert await tokens.revoke(found.id, PAGE)
    assert tokens.find(text) is None
    assert not await tokens.revoke(found.id, PAGE)
    assert (await opened(journal)).find(text) is None
    assert noted == [(PAGE, "make-token", "crm call+read"), (PAGE, "revoke-token", "crm")]


async def test_only_its_hash_is_kept(journal: Journal) -> None:
    tokens = await opened(journal)
    text = await tokens.make("crm", ["read"], None, PAGE)
    stored, _ = await journal.state(STATE)
    assert "crm" in stored
    assert text not in stored
    assert text.removeprefix("earshot_") not in stored


async def test_it_expires_and_the_api_stays_closed(journal: Journal) -> None:
    clock = Clock()
    tokens = await opened(journal, now=clock)
    text = await tokens.make("crm", ["read"], 1, PAGE)
    lasting = await tokens.make("ops", ["read"], None, PAGE)
    clock.now += timedelta(days=1) - timedelta(seconds=1)
    assert tokens.find(text)
    clock.now += timedelta(seconds=1)
    assert tokens.find(text) is None
    assert tokens.find(lasting)
    assert tokens


async def test_the_api_stays_closed_when_the_only_token_is_one_that_cannot_be_read(journal: Journal) -> None:
    await journal.change_state(STATE, lambda _: '{"id": "x", "name": "crm", "scopes": ["fly"]}\n')
    tokens = await opened(journal)
    assert tokens.all() == []
    assert tokens


async def test_of_two_processes_that_revoke_a_token_one_has(journal: Journal) -> None:
    noted: list[Any] = []
    one = await opened(journal, noted)
    await one.make("crm", ["read"], 30, PAGE)
    other = await opened(journal, noted)
    [token] = one.all()
    assert [await one.revoke(token.id, PAGE), await other.revoke(token.id, PAGE)] == [True, False]
    assert [action for _, action, _ in noted] == ["make-token", "revoke-token"]
    assert not other


async def test_every_token_is_compared_in_constant_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = await opened(journal)
    text = await tokens.make("a", ["read"], None, PAGE)
    await tokens.make("b", ["read"], None, PAGE)
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr("services.desk.lists.made_tokens.hmac.compare_digest", lambda a, b: compared.append(a) or real(a, b))  # type: ignore[func-returns-value]
    assert tokens.find(text)
    assert len(compared) == 2


@pytest.mark.parametrize(
    ("name", "scopes", "days", "code"),
    [
        ("", ["read"], 30, "invalid_token_name"),
        ("a b", ["read"], 30, "invalid_token_name"),
        ("page", ["read"], 30, "invalid_token_name"),
        ("crm\n", ["read"], 30, "invalid_token_name"),
        ("x" * 41, ["read"], 30, "invalid_token_name"),
        ("crm", [], 30, "no_token_scope"),
        ("crm", ["fly"], 30, "no_token_scope"),
        ("crm", ["read"], 0, "invalid_token_days"),
        ("crm", ["read"], 3651, "invalid_token_days"),
        ("env", ["read"], 30, "token_name_taken"),
        ("known", ["read"], 30, "token_name_taken"),
    ],
)
async def test_what_a_token_cannot_be(journal: Journal, name: str, scopes: list[str], days: int, code: str) -> None:
    tokens = await opened(journal, taken=lambda name: name == "env")
    await tokens.make("known", ["read"], None, PAGE)
    with pytest.raises(RequestError) as refused:
        await tokens.make(name, scopes, days, PAGE)
    assert refused.value.code == code
    assert len(tokens.all()) == 1


@pytest.mark.slow
async def test_there_are_not_endlessly_many(journal: Journal) -> None:
    tokens = await opened(journal)
    for number in range(MOST_TOKENS):
        await tokens.make(f"t{number}", ["read"], None, PAGE)
    with pytest.raises(RequestError, match="at most"):
        await tokens.make("more", ["read"], None, PAGE)


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"id": "x", "name": "x", "scopes": ["fly"], "digest": "00", "made_at": "x"}', "\0"])
def test_a_line_that_cannot_be_read_lets_nobody_in(line: str) -> None:
    assert loaded(line) == {}


async def test_another_process_accepts_it_and_forgets_it(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None) as one, desk_in(tmp_path, None) as other, asyncio.timeout(HANG_S):
        heard = asyncio.Event()
        other.tokens.changed.subscribe(lambda _: heard.set())
        text = await one.tokens.make("crm", ["read"], None, PAGE)
        await heard.wait()
        found = other.tokens.find(text)
        assert found
        over = asyncio.create_task(other.tokens.over(found.id))
        await asyncio.sleep(0)
        assert not over.done()
        await one.tokens.revoke(found.id, PAGE)
        await over
        assert other.tokens.find(text) is None
        rows = await one.journal.audit(actions=["make-token", "revoke-token"])
    assert [(row.who, row.action) for row in rows] == [("page", "revoke-token"), ("page", "make-token")]
    assert text not in str(rows)
