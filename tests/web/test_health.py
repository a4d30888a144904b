"""`/health` says 200 only if a dial could be written down, and otherwise what is wrong and since when."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from services.journal.writing import proof
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), concurrent_calls=2) as made:
        yield made


async def test_a_locked_journal_is_503_while_the_process_is_alive(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_PATIENCE_S", 0.2)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, problem, _ = await client.ask("GET", "/health")
        assert (status, problem["code"], problem["waiting"]["facts"], problem["mode"]) == (503, "journal_unavailable", 0, "vapi")
        assert problem["since"]
        assert (await client.ask("GET", "/health/live"))[:2] == (200, {"status": "ok", "version": "1"})


async def test_a_deleted_journal_is_503(client: Client, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").rename(tmp_path / "away")
    status, problem, _ = await client.ask("GET", "/health")
    assert status == 503
    assert "deleted or replaced" in problem["detail"]
    assert str(tmp_path) not in problem["detail"]
    (tmp_path / "away").rename(tmp_path / "journal.sqlite")
    assert (await client.ask("GET", "/health"))[0] == 200


async def test_slots_that_are_all_held_by_abandoned_dials_are_503(client: Client, tmp_path: Path) -> None:
    for number in ("+14155552671", "+14155552672"):
        await client.desk.journal.begin(client.desk.order(number), client="gone")
    assert (await client.ask("GET", "/health"))[0] == 200
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
        other.execute("UPDATE earshot_dials SET dialled_at = dialled_at - 16 * 60 * 1000")
    status, problem, _ = await client.ask("GET", "/health")
    assert (status, problem["slots"]) == (503, {"taken": 2, "abandoned": 2})
    assert "All 2 slots" in problem["detail"]
