"""Everything at once: clients that retry, a Vapi that answers at random, apps that are killed, and a database that fails."""

import asyncio
import random
from collections import Counter, defaultdict
from pathlib import Path

import aiohttp
import pytest

from tests.ports import free_port
from tests.process import running, vapi_environ
from tests.stand_in import stand_in
from tests.whole.chaos.clients import number_of
from tests.whole.chaos.databases import database_of
from tests.whole.chaos.run import LIMITS, run
from tests.whole.chaos.vapi import WAYS

KEYS = 100
TIMES = 6
CONNECTIONS = 50
KILLS = 3
SECONDS = 20.0
HASTE = 3.0
"""How much sooner than in a long run something breaks, and is whole again: so everything breaks in a short one too."""
SEED = 10


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_nothing_is_dialled_twice_or_forgotten_whatever_fails(engine: str, tmp_path: Path) -> None:
    """One process on SQLite, two on PostgreSQL. Each is killed, and their database is stopped, locked, demoted or full."""
    with database_of(engine, tmp_path) as database:
        report = await run(tmp_path, database, seconds=SECONDS, seed=SEED, haste=HASTE)
    assert report.wrong == [], "\n".join(report.wrong)
    assert report.faults.keys() == {"kill -9", *database.faults}
    assert report.calls > SECONDS / 2


async def test_one_call_a_key_and_one_answer_a_key_whatever_happens(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    answers: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
    statuses: Counter[int | str] = Counter()
    requests = [key for key in range(KEYS) for _ in range(TIMES)]
    chance.shuffle(requests)
    queue = iter(requests)
    port = free_port()
    sent = 0

    async def client(session: aiohttp.ClientSession, up: asyncio.Event) -> None:
        nonlocal sent
        for key in queue:
            await up.wait()
            sent += 1
            try:
                async with session.post(
                    f"http://127.0.0.1:{port}/api/vapi_call",
                    json={"to": number_of(f"key-{key}")},
                    headers={"Idempotency-Key": f"key-{key}"},
                ) as answer:
                    body = await answer.json(content_type=None)
            except (aiohttp.ClientError, ConnectionError):
                statuses["no answer"] += 1
                continue
            statuses[answer.status] += 1
            if answer.status in (201, 202):
                answers[key].add((answer.status, body["id"]))

    async with stand_in() as vapi:
        vapi.answer = lambda: chance.choice(WAYS)
        environ = vapi_environ(vapi.url) | LIMITS | {"EARSHOT_DATA_DIR": str(tmp_path / "data"), "EARSHOT_CONCURRENT_CALLS": "100000"}
        up = asyncio.Event()

        async def killed_again_and_again() -> None:
            for life in range(KILLS + 1):
                async with running(tmp_path, environ, port=port) as app:
                    up.set()
                    if life == KILLS:
                        await finished.wait()
                        return
                    while sent < (life + 1) * len(requests) // (KILLS + 1):  # noqa: ASYNC110 - any moment will do
                        await asyncio.sleep(0.01)
                    up.clear()
                    app.kill()

        finished = asyncio.Event()
        lives = asyncio.create_task(killed_again_and_again())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            await asyncio.gather(*(client(session, up) for _ in range(CONNECTIONS)))
        finished.set()
        await lives
        created = Counter(call["customer"]["number"] for call in vapi.calls.values())

    assert sent == KEYS * TIMES
    assert statuses[201] > KEYS
    assert set(statuses) <= {201, 202, 409, 502, "no answer"}, statuses
    assert set(created.values()) == {1}
    assert {key: found for key, found in answers.items() if len(found) > 1} == {}
    assert len(created) > KEYS * 0.8
