"""Who did what, over REST: by person and call, page by page, and as CSV that no spreadsheet runs."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.journal import AuditRow
from services.web.routes import audit
from tests.web.test_api import Client, client_of

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, None) as made:
        for number, (who, call_id) in enumerate((("Ana", "c1"), ("Ben", "c1"), ("Ana", "c2"), ("Ana", None))):
            at = AT + timedelta(seconds=number)
            row = AuditRow(at=at, who=who, action="say", call_id=call_id, to="+14155552671", outcome="done", detail=f"=HYPERLINK({number})")
            await made.desk.journal.note(row)
        yield made


async def found(client: Client, **query: Any) -> list[str]:
    _, answer, _ = await client.ask("GET", "/api/audit", params=query)
    return [f"{entry['who']} {entry['callId']}" for entry in answer["entries"]]


async def test_the_audit_is_found_by_person_and_call(client: Client) -> None:
    assert await found(client) == ["Ana None", "Ana c2", "Ben c1", "Ana c1"]
    assert await found(client, who="Ana") == ["Ana None", "Ana c2", "Ana c1"]
    assert await found(client, who="Ana", callId="c1") == ["Ana c1"]
    assert await found(client, who="ana' OR 1=1") == []
    _, answer, _ = await client.ask("GET", "/api/audit", params={"callId": "c1"})
    entry = {key: value for key, value in answer["entries"][0].items() if key != "id"}
    assert entry == {
        "at": "2026-09-01T10:00:01.000Z",
        "who": "Ben",
        "action": "say",
        "callId": "c1",
        "to": "+14155552671",
        "outcome": "done",
        "detail": "=HYPERLINK(1)",
        "words": "",
    }


async def test_the_audit_is_read_page_by_page(client: Client) -> None:
    seen: list[str] = []
    before: dict[str, Any] = {}
    for _ in range(2):
        _, answer, _ = await client.ask("GET", "/api/audit", params={"limit": 3, **before})
        seen += [entry["detail"] for entry in answer["entries"]]
        before = {"before": answer["next"]}
    assert seen == [f"=HYPERLINK({number})" for number in (3, 2, 1, 0)]
    assert answer["next"] is None


async def test_the_audit_is_exported_whole(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 2)
    async with client.session.get(f"{client.url}/api/audit.csv?who=Ana") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        rows = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    assert [row["detail"] for row in rows] == [f"'=HYPERLINK({number})" for number in (3, 2, 0)]
    assert {row["who"] for row in rows} == {"Ana"}
