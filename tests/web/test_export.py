"""The log of calls over REST: searched, filtered, and as CSV that no spreadsheet runs."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.domain.alert import Alert
from services.domain.call import Analysis, Call, CallStatus, CostItem, MonitorFinding, Output, Scorecard
from services.domain.rule import Rule, RuleKind
from services.vapi.gateway import Gateway
from services.web.routes import export
from services.web.routes.export import COLUMNS, safe
from tests.stand_in import stand_in
from tests.web.test_api import Client, client_of

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with stand_in() as vapi, client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        for number, reason in enumerate(["customer-ended-call", "customer-busy", "pipeline-error-openai-llm-failed", "something-new"]):
            call = Call(
                id=f"call-{number}",
                status=CallStatus.ENDED,
                to=f"+1415555267{number}",
                created_at=TEN + timedelta(minutes=number),
                started_at=TEN,
                ended_at=TEN + timedelta(seconds=72),
                ended_reason=reason,
                name="=HYPERLINK(1)" if number == 0 else None,
                summary="They agreed, gladly." if number == 0 else None,
                cost=0.07,
                costs=(CostItem(kind="voice", dollars=0.07),),
                recording_url="https://storage.vapi.ai/one.wav",
                inbound=number == 1,
            )
            await made.desk.journal.save(call)
        await made.desk.journal.save(Call(id="running", status=CallStatus.RINGING, to="+442079460958", created_at=TEN + timedelta(hours=1)))
        yield made


FILTERED = {
    "family=finished": ["call-0"],
    "family=not-reached&family=unknown": ["call-3", "call-1"],
    "status=ended&limit=1": ["call-3"],
    "search=GLADLY": ["call-0"],
    "search=%2B1 (415) 555-2672": ["call-2"],
    "search=nobody": [],
    "family=provider&search=2672": ["call-2"],
    "to=2026-09-01T10:02:00Z&from=2026-09-01T10:01:00Z": ["call-1"],
}


@pytest.mark.slow
async def test_the_list_and_the_export_are_filtered_alike(client: Client) -> None:
    listed, exported = {}, {}
    for query in FILTERED:
        _, page, _ = await client.ask("GET", f"/api/calls?{query}")
        listed[query] = [call["id"] for call in page["calls"]]
        if "limit" not in query:
            exported[query] = [row["id"] for row in await rows(client, query)]
    assert listed == FILTERED
    assert exported == {query: found for query, found in FILTERED.items() if "limit" not in query}


async def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    async with client.session.get(f"{client.url}/api/calls.csv?{query}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        text = (await answer.read()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.slow
async def test_every_call_is_a_row(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PAGE", 2)
    found = await rows(client)
    assert [row["id"] for row in found] == ["running", "call-3", "call-2", "call-1", "call-0"]
    assert tuple(found[0]) == COLUMNS
    last, inbound = found[-1], found[-2]
    assert (last["name"], last["to"], last["seconds"], last["cost"]) == ("'=HYPERLINK(1)", "'+14155552670", "72.0", "0.07")
    assert (last["endedReasonFamily"], last["endedReason"], last["summary"]) == ("finished", "Customer hung up.", "They agreed, gladly.")
    assert (inbound["direction"], inbound["from"]) == ("inbound", "'+14155552671")


@pytest.mark.slow
async def test_a_row_says_who_placed_the_call_and_which_rules_applied(client: Client) -> None:
    await client.desk.journal.save(Call(id="placed", status=CallStatus.ENDED, created_at=TEN, placed_by="=crm"))
    refund = Rule(id="1", kind=RuleKind.KEYWORD, phrase="refund")
    long_silence = Rule(id="2", kind=RuleKind.SILENCE, above=10)
    costly = Rule(id="3", kind=RuleKind.COST, above=0.5)
    for number, (rule, amount, said) in enumerate(((refund, None, "A refund, please."), (long_silence, 12.5, ""), (costly, 0.75, ""))):
        at = TEN + timedelta(seconds=number)
        await client.desk.journal.alerts.add(Alert(call_id="placed", rule=rule, at=at, amount=amount, said=said))
    await client.desk.journal.alerts.add(Alert(call_id="call-0", rule=refund, at=TEN))
    found = {row["id"]: (row["placedBy"], row["alerts"]) for row in await rows(client)}
    assert found["placed"] == ("'=crm", "keyword refund: A refund, please. | silence above 10: 12.5 | cost above 0.5: 0.75")
    assert (found["call-0"], found["call-1"]) == (("", "keyword refund"), ("", ""))


@pytest.mark.parametrize("cell", ["=1+1", "+1415", "-1", "@SUM(A1)"])
def test_a_cell_that_would_be_run_is_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell",
    [
        "x;=1+1",
        "x;\t=1+1",
        "x\t=1+1",
        "x\n=1+1",
        'x;"=1+1"',
        "x; =1+1",
        ";=1",
        "x;y;@SUM(1)",
        "x;+1;-2",
        "x\r\n-1",
        "\uff1d1",
        'a";"=1',
        "\t\t=1",
        "\t=1",
        "\r=1",
        "\n=1",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_run_whatever_separates_cells(cell: str, delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerow(["id", safe(cell), "last"])
    for row in csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter):
        for found in row:
            assert not found.strip(' \t\r\n"').startswith(("=", "+", "-", "@", "\uff1d")), row


@pytest.mark.parametrize("cell", ["Dana", "Dana; well - fine", "a=b", "5 + 5; 6", "1", 0.07, -1, None, ""])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert safe(cell) == cell


async def test_details_known_only_after_the_end_are_reported(client: Client) -> None:
    _, call, _ = await client.ask("GET", "/api/calls/call-0")
    assert (call["seconds"], call["costs"], call["endedFamily"]) == (72.0, [{"kind": "voice", "dollars": 0.07}], "finished")
    assert call["recordingUrl"] == "/api/calls/call-0/vapi-recording"
    _, call, _ = await client.ask("GET", "/api/calls/call-1")
    assert (call["inbound"], call["from"], call["to"]) == (True, "+14155552671", None)


async def test_what_vapi_found_out_is_told(client: Client) -> None:
    found = Analysis(
        success="true",
        data={"a": 1},
        outputs=(Output(name="Day", result=["Mon"]),),
        scorecards=(Scorecard(name="Service", score=40, normalized=80),),
        monitors=(MonitorFinding(id="m-1", passed=False),),
        latencies={"turn": 900.0},
    )
    await client.desk.journal.save(Call(id="analysed", status=CallStatus.ENDED, created_at=TEN, analysis=found))
    _, call, _ = await client.ask("GET", "/api/calls/analysed")
    assert call["analysis"] == {
        "success": "true",
        "structuredData": {"a": 1},
        "structuredOutputs": [{"name": "Day", "result": ["Mon"]}],
        "scorecards": [{"name": "Service", "score": 40, "scoreNormalized": 80}],
        "monitors": [{"id": "m-1", "filterPassed": False}],
        "latencies": {"turn": 900.0},
        "interruptions": {"byCustomer": None, "byAssistant": None},
    }
    _, call, _ = await client.ask("GET", "/api/calls/call-0")
    assert call["analysis"] is None


async def test_an_unknown_filter_is_an_error(client: Client) -> None:
    status, problem, _ = await client.ask("GET", "/api/calls.csv?family=lucky")
    assert (status, problem["errors"][0]["field"]) == (422, "family.0")
