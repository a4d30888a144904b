"""How long a change at one process takes to show at another on the same journal: `python -m benchmarks.crossing [--rounds 100]`.

Measured from the answer to the request that makes the change until the other process, asked every 5 ms, first shows it.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.relay import percentiles
from tests.process import Process, running, vapi_environ
from tests.stand_in import StandIn, stand_in
from tests.web.test_tokens import entry
from tests.whole.chaos.databases import database_of

_POLL_S = 0.005
_LIMITS = dict.fromkeys(("EARSHOT_CALLS_PER_HOUR", "EARSHOT_CALLS_PER_DAY", "EARSHOT_CONCURRENT_CALLS"), "10000")
_RULE = "+14155550000"

Step = Callable[[], Awaitable[object]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--rounds", type=int, default=100)
    chosen = options.parse_args()
    for engine in ("postgresql", "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(engine, Path(folder), chosen.rounds))


async def run(engine: str, folder: Path, rounds: int) -> None:
    async with AsyncExitStack() as stack:
        database = stack.enter_context(database_of(engine, folder))
        vapi = await stack.enter_async_context(stand_in())
        robot = {"Authorization": "Bearer robot"}
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=robot, cookie_jar=aiohttp.DummyCookieJar()))
        environ = (
            vapi_environ(vapi.url)
            | _LIMITS
            | {
                "DATABASE_URL": database.url,
                "EARSHOT_ALLOWED_REGIONS": "*",
                "EARSHOT_PASSWORD": "secret",
                "EARSHOT_API_TOKENS": entry("robot", "*", "robot"),
            }
        )
        folders = [{"EARSHOT_DATA_DIR": str(folder / name)} for name in ("one", "other")]
        one, other = [await stack.enter_async_context(running(folder, environ | own)) for own in folders]
        changes = Changes(http, one, other, vapi)
        for name in ("stop", "block", "logout", "call"):
            times = [await getattr(changes, name)() for _ in range(rounds)]
            p50, p99 = percentiles(times, 50, 99)
            print(f"crossing: {name} on {engine}: median {p50:.0f} ms, p99 {p99:.0f} ms, at most {max(times):.0f} ms", flush=True)


class Changes:
    """Each method makes a change at `one` and returns after how many milliseconds `other` shows it."""

    def __init__(self, http: aiohttp.ClientSession, one: Process, other: Process, vapi: StandIn) -> None:
        self._http = http
        self._one = one
        self._other = other
        self._vapi = vapi
        self._numbers = iter(range(10_000))

    async def stop(self) -> float:
        took = await self._crosses(
            self._at_one("POST", "/api/dialling/stop"), self._shows("/api/dialling", lambda found: not found["allowed"])
        )
        await self._crosses(self._at_one("POST", "/api/dialling/resume"), self._shows("/api/dialling", lambda found: found["allowed"]))
        return took

    async def block(self) -> float:
        path = "/api/dialling/blocked"
        took = await self._crosses(self._at_one("POST", path, json={"rule": _RULE}), self._shows(path, lambda found: found["rules"]))
        await self._crosses(self._at_one("DELETE", path, params={"rule": _RULE}), self._shows(path, lambda found: not found["rules"]))
        return took

    async def logout(self) -> float:
        """A login at `one` that `other` has accepted ends."""
        nobody = {"Authorization": ""}
        async with self._http.post(self._one.url + "/login", data={"password": "secret"}, headers=nobody, allow_redirects=False) as answer:
            cookie = nobody | {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

        async def status() -> int:
            async with self._http.get(self._other.url + "/api/dialling", headers=cookie) as answer:
                return answer.status

        assert await status() == 200

        async def logout() -> None:
            async with self._http.post(self._one.url + "/logout", headers=cookie, allow_redirects=False) as answer:
                assert answer.status == 303, answer.status

        async def refused() -> bool:
            return await status() == 401

        return await self._crosses(logout, refused)

    async def call(self) -> float:
        """A new call is listed."""
        call: dict[str, Any] = {}

        async def place() -> None:
            call.update(await self._at_one("POST", "/api/vapi_call", json={"to": f"+1415{2_000_000 + next(self._numbers):07d}"})())

        return await self._crosses(
            place, self._shows("/api/calls?limit=5", lambda found: call["id"] in [one["id"] for one in found["calls"]])
        )

    async def _crosses(self, change: Step, shown: Callable[[], Awaitable[bool]]) -> float:
        await asyncio.sleep(random.uniform(0.0, 0.3))  # noqa: S311 - at any moment between two looks at the journal
        await change()
        began = time.perf_counter()
        while not await shown():  # noqa: ASYNC110 - another process's
            await asyncio.sleep(_POLL_S)
        return 1000 * (time.perf_counter() - began)

    def _at_one(self, method: str, path: str, **more: Any) -> Callable[[], Awaitable[dict[str, Any]]]:
        async def ask() -> dict[str, Any]:
            async with self._http.request(method, self._one.url + path, **more) as answer:
                assert answer.status < 300, await answer.text()
                found: dict[str, Any] = await answer.json()
                return found

        return ask

    def _shows(self, path: str, right: Callable[[dict[str, Any]], object]) -> Callable[[], Awaitable[bool]]:
        async def ask() -> bool:
            async with self._http.get(self._other.url + path) as answer:
                return bool(right(await answer.json()))

        return ask


if __name__ == "__main__":
    main()
