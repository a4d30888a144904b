"""One wrong date in what Vapi says of a call must not hide the others."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from services.vapi.gateway import Gateway
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.vapi import samples
from tests.vapi.stand_in import StandIn, reply


@pytest.mark.slow
async def test_a_call_changed_in_the_future_does_not_move_the_reads_there(tmp_path: Path) -> None:
    now = datetime.now(UTC).isoformat()
    async with StandIn() as vapi:
        vapi.on("GET", "/call", reply(200, [samples.IN_PROGRESS | {"createdAt": now, "updatedAt": "2150-01-01T00:00:00Z"}]))
        gateway = Gateway(api_key="private", base_url=vapi.url)
        async with desk_in(tmp_path, gateway), asyncio.timeout(HANG_S):
            while len(asked := vapi.asked("GET", "/call")) < 4:  # noqa: ASYNC110 - the stand-in tells it in no other way
                await asyncio.sleep(0.05)
        await gateway.aclose()
    since = [parse_qs(urlsplit(request.target).query).get("updatedAtGe", ["2000"])[0] for request in asked]
    assert max(since) < "2140"
