"""POSTs to one URL over a fixed number of connections, in a separate process: `python -m benchmarks.load URL CONNECTIONS REQUESTS`."""

import asyncio
import json
import random
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass

import aiohttp

from tests.process import ROOT

NUMBERS = 7_000_000  # from 200 0000 on: the exchange 976 charges by the call and is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests per second; median and 99th percentile of the response time in milliseconds."""

    per_second: float
    p50: float
    p99: float


def measure(url: str, *, connections: int, requests: int) -> Load:
    """POSTs `{"to": ...}` `requests` times over `connections`, each with its own number and idempotency key. Every answer must be a 2xx."""
    command = [sys.executable, "-m", "benchmarks.load", url, str(connections), str(requests)]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return Load(per_second=found["per_second"], p50=found["p50"], p99=found["p99"])


async def _run(url: str, connections: int, requests: int) -> None:
    times_ms: list[float] = []
    first = random.randrange(NUMBERS)  # noqa: S311 - a number with a running call from an earlier run would be refused
    indices = iter(range(first, first + requests))

    async def work(session: aiohttp.ClientSession) -> None:
        for index in indices:
            began = time.perf_counter()
            body = {"to": f"+1415{2_000_000 + index % NUMBERS:07d}", "allowDuplicate": True}
            async with session.post(url, json=body, headers={"Idempotency-Key": str(uuid.uuid4())}) as answer:
                await answer.read()
                assert 200 <= answer.status < 300, await answer.text()
            times_ms.append(1000 * (time.perf_counter() - began))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(work(session) for _ in range(connections)))
        seconds = time.perf_counter() - began
    times_ms.sort()
    print(json.dumps({"per_second": requests / seconds, "p50": times_ms[len(times_ms) // 2], "p99": times_ms[int(len(times_ms) * 0.99)]}))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
