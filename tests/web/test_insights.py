"""Calls in numbers over REST and as CSV."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.domain.alert import Alert
from services.domain.call import Assistant
from services.domain.insights import ENOUGH
from services.domain.rule import Rule, RuleKind
from services.journal.records import Counted
from services.vapi.gateway import Gateway
from tests.journal.tables.test_insights import CALL, MISSED
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of

DAY = "from=2026-09-01&to=2026-09-02"


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        for number in range(ENOUGH // 2):
            await made.desk.journal.save(replace(CALL, id=f"answered-{number}"))
            counted = Counted(response_ms=1000 + 100 * number, interrupted=number % 2, barged_in=1)
            await made.desk.journal.measures.save(f"answered-{number}", "{}", brief="{}", counted=counted, over=True)
            await made.desk.journal.save(replace(MISSED, id=f"missed-{number}"))
        await made.desk.journal.save(replace(CALL, id="other", assistant_id="other"))
        yield made


@pytest.mark.slow
async def test_the_numbers(client: Client) -> None:
    client.desk.directory.assistants = {"riley": Assistant(id="riley", name="Riley")}
    _, found, _ = await client.ask("GET", f"/api/insights?{DAY}&zone=Europe/Berlin&assistant=riley")
    many = ENOUGH // 2
    total = {
        "calls": ENOUGH,
        "attempts": ENOUGH,
        "answered": many,
        "answerRate": 0.5,
        "minutes": 1.5 * many,
        "cost": pytest.approx(0.07 * many),
        "priced": many,
        "measured": many,
        "responseSeconds": 1.45,
        "interruptionsByCustomer": many,
        "interruptionsByAssistant": many // 2,
    }
    assert found["total"] == total
    assert found["days"][0] == {"day": "2026-09-01", **total, "alerted": 0, "outcomes": {"finished": many, "not-reached": many}}
    assert (found["days"][1]["calls"], found["days"][1]["answerRate"], found["days"][1]["outcomes"]) == (0, None, {})
    assert [(side["id"], side["name"], side["calls"]) for side in found["assistants"]] == [("riley", "Riley", ENOUGH)]
    assert [(side["id"], side["calls"]) for side in found["callerIds"]] == [("main", ENOUGH)]


@pytest.mark.slow
async def test_calls_with_alerts(client: Client) -> None:
    silence = Rule(id="quiet", kind=RuleKind.SILENCE, above=8)
    for call_id in ("answered-1", "answered-2"):
        await client.desk.journal.alerts.add(Alert(call_id=call_id, rule=silence, at=CALL.created_at or datetime.now(UTC), amount=9))
    _, found, _ = await client.ask("GET", f"/api/insights?{DAY}&assistant=riley")
    assert (found["alerted"], [day["alerted"] for day in found["days"]]) == (2, [2, 0])
    assert found["rules"] == [{"id": "quiet", "kind": "silence", "phrase": "", "speaker": "either", "above": 8, "calls": 2}]
    assert [row["alerted"] for row in await rows(client, "assistant=riley")] == ["2", "0"]
    for rule, calls in (("quiet", {"answered-1", "answered-2"}), ("any", {"answered-1", "answered-2"}), ("other", set())):
        _, page, _ = await client.ask("GET", f"/api/calls?alert={rule}")
        assert {call["id"] for call in page["calls"]} == calls


@pytest.mark.slow
async def test_few_calls_have_no_rate(client: Client) -> None:
    _, found, _ = await client.ask("GET", f"/api/insights?{DAY}&assistant=other")
    assert (found["total"]["attempts"], found["total"]["answered"], found["total"]["answerRate"]) == (1, 1, None)
    assert (found["total"]["measured"], found["total"]["responseSeconds"]) == (0, None)


@pytest.mark.slow
async def test_the_list_of_calls_takes_the_same_filters(client: Client) -> None:
    _, page, _ = await client.ask("GET", "/api/calls?assistant=other&callerId=main")
    assert [call["id"] for call in page["calls"]] == ["other"]
    assert (await client.ask("GET", "/api/calls?assistant=other&callerId=none"))[1]["calls"] == []


async def rows(client: Client, query: str) -> list[dict[str, str]]:
    async with client.session.get(f"{client.url}/api/insights.csv?{DAY}&{query}") as answer:
        assert answer.content_type == "text/csv"
        return list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))


@pytest.mark.slow
async def test_csv_has_a_row_per_day(client: Client) -> None:
    found = await rows(client, "assistant=riley")
    assert [(row["day"], row["calls"], row["answerRate"], row["responseSeconds"], row["interruptionsByCustomer"]) for row in found] == [
        ("2026-09-01", str(ENOUGH), "0.5", "1.45", str(ENOUGH // 2)),
        ("2026-09-02", "0", "", "", "0"),
    ]
    assert [row["finished"] for row in found] == [str(ENOUGH // 2), "0"]


@pytest.mark.slow
async def test_one_client_has_few_counted_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go, count = asyncio.Event(), client.desk.journal.insights.count

    async def slow(*arguments: Any, **more: Any) -> Any:
        await go.wait()
        return await count(*arguments, **more)

    monkeypatch.setattr(client.desk.journal.insights, "count", slow)
    async with asyncio.timeout(HANG_S):
        asking = [asyncio.ensure_future(client.ask("GET", "/api/insights")) for _ in range(3)]
        done, _pending = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result()[0] for one in done] == [429]
        go.set()
        assert [(await one)[0] for one in asking if one not in done] == [200] * 2
        assert (await client.ask("GET", "/api/insights"))[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        *("zone=Mars/Olympus", "zone=../etc", "zone=Europe"),
        *("from=2026-09-02&to=2026-09-01", "from=2020-01-01&to=2026-01-01", "from=9999-12-20", "to=0001-01-01"),
    ],
)
async def test_what_can_not_be_counted_is_refused(client: Client, query: str) -> None:
    assert (await client.ask("GET", f"/api/insights?{query}"))[0] == 422
