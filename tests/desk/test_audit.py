"""The audit: every dial, listen, control, end, stop and resume, with who and when."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect

from services.domain.client import LOCAL
from tests.desks import desk_in
from tests.journals import open_journal
from tests.process import running, vapi_environ
from tests.stand_in import StandIn
from tests.web.test_authentication import NUMBER, TOKENS, bearer


@pytest.mark.process
async def test_the_audit_has_who_did_what_and_when(vapi: StandIn, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    environ = vapi_environ(vapi.url) | {"EARSHOT_API_TOKENS": TOKENS, "EARSHOT_DATA_DIR": str(tmp_path)}
    async with running(tmp_path, environ) as app, aiohttp.ClientSession(headers=bearer("boss"), raise_for_status=True) as http:

        async def ask(path: str, who: str = "boss", **body: str) -> dict[str, str]:
            async with http.post(app.url + path, json=body, headers=bearer(who)) as answer:
                found: dict[str, str] = await answer.json()
                return found

        call = await ask("/api/vapi_call", to=NUMBER)
        path = f"/api/calls/{call['id']}"
        vapi.move(call["id"], "in-progress")
        async with connect(call["listenUrl"]) as listener:
            await listener.recv()
        while (await (await http.get(app.url + path)).json())["status"] != "in-progress":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await ask(path + "/control", "steerer", action="say", content="Hello")
        await ask(path + "/end", "steerer")
        vapi.answer = 400, {"message": "no"}
        async with http.post(app.url + "/api/vapi_call", json={"to": "+14155552672"}, headers=bearer("caller"), raise_for_status=False):
            pass
        await ask("/api/dialling/stop", "steerer", reason="lunch")
        await ask("/api/calls/end-all", "steerer")
        await ask("/api/dialling/resume")
        await asyncio.to_thread(app.stop)
    journal = await open_journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    rows = await journal.audit()
    await journal.aclose()
    times = [row.at for row in rows]
    assert times == sorted(times, reverse=True)
    assert began <= times[-1] + timedelta(milliseconds=1)
    rows.reverse()
    assert [(row.who, row.action, row.to, row.outcome, row.detail) for row in rows] == [
        ("boss", "dial", NUMBER, "queued", ""),
        ("boss", "listen", NUMBER, "queued", ""),
        ("steerer", "say", NUMBER, "in-progress", "Hello"),
        ("steerer", "end", NUMBER, "in-progress", ""),
        ("caller", "dial", "+14155552672", "vapi_refused", ""),
        ("steerer", "stop-dialling", None, "done", "lunch"),
        ("steerer", "end-all", None, "0 ended, 0 unconfirmed", ""),
        ("boss", "resume-dialling", None, "done", ""),
    ]
    assert [row.call_id for row in rows[:4]] == [call["id"]] * 4


async def test_the_last_action_before_closing_is_written_too(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None) as desk:
        desk.note(LOCAL, "end-all", outcome="1 ended, 0 unconfirmed")
    journal = await open_journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    assert [(row.action, row.outcome) for row in await journal.audit()] == [("end-all", "1 ended, 0 unconfirmed")]
    await journal.aclose()
