"""Clients that ask for one call a key until they have an answer, and that note every answer that is none."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.whole.chaos.supervised import Supervised

_ANSWER_S = 60.0  # within which every request is answered
_PLACED = (201, 202)
_ANSWERS = {200, 201, 202, 409, 429, 502, 503}

Json = dict[str, Any]


def number_of(key: str) -> str:
    return f"+1415{2_000_000 + int(key.rpartition('-')[2]):07d}"


@dataclass(slots=True)
class Heard:
    """What the clients were answered. `wrong` has a sentence for each answer that should not have been given."""

    statuses: Counter[str] = field(default_factory=Counter)
    placed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Per key, the ids that were answered with 201."""
    unknown: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Per key, the ids that were answered with 202."""
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Clients:
    """Ask any of `apps` that serves. Their pauses are as many times shorter as `haste` says."""

    def __init__(self, apps: Sequence[Supervised], session: aiohttp.ClientSession, chance: random.Random, haste: float) -> None:
        self.heard = Heard()
        self._apps = apps
        self._session = session
        self._chance = chance
        self._haste = haste

    async def want(self, key: str, after_s: float) -> None:
        """Asks for the call of `key` until it is answered, then, sometimes, hangs it up, and asks again."""
        await asyncio.sleep(after_s + self._chance.uniform(0.0, 0.5))
        call = await self._place(key)
        if self._chance.random() < 0.3:
            await self.ask("POST", f"/api/calls/{call['id']}/end")
        if self._chance.random() < 0.3:
            await self.ask("GET", f"/api/calls/{call['id']}")
        await asyncio.sleep(self._chance.uniform(0.0, 10.0) / self._haste)
        await self._place(key)

    async def _place(self, key: str) -> Json:
        while True:
            status, body = await self.ask("POST", "/api/vapi_call", json={"to": number_of(key)}, headers={"Idempotency-Key": key})
            if status in _PLACED and "id" in body:
                (self.heard.placed if status == 201 else self.heard.unknown)[key].add(body["id"])
                return body
            await asyncio.sleep(self._chance.uniform(0.5, 2.0) / self._haste)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Json]:
        """Status and JSON, or status 0 if the process was killed meanwhile."""
        while not (serving := [app for app in self._apps if app.life]):  # noqa: ASYNC110 - another task starts them
            await asyncio.sleep(0.1)
        return await self.ask_at(self._chance.choice(serving), method, path, **more)

    async def ask_at(self, app: Supervised, method: str, path: str, **more: Any) -> tuple[int, Json]:
        what, life = f"{method} {path}", app.life
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(_ANSWER_S), self._session.request(method, app.url + path, **more) as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, ConnectionError) as error:
            if life and not life.killed:
                self.heard.wrong.append(f"{what}: {error!r} though nobody killed the app")
            self.heard.statuses["no answer, killed"] += 1
            return 0, {}
        except TimeoutError:
            self.heard.wrong.append(f"{what}: no answer within {_ANSWER_S:.0f} s")
            return 0, {}
        self.heard.slowest_s = max(self.heard.slowest_s, clock() - began)
        self.heard.statuses[f"{answer.status} {body.get('code', '')}".strip()] += 1
        if problem := _fault_of(answer.status, answer.content_type, body):
            self.heard.wrong.append(f"{what}: {problem}: {answer.status} {body}")
        return answer.status, body


def _fault_of(status: int, content_type: str, body: Mapping[str, Any]) -> str | None:
    """Why an answer is neither a call nor a problem of a kind that may come."""
    if status not in _ANSWERS:
        return "an answer that should not come"
    if status < 400:
        return None if body.get("id") and body.get("status") else "no call"
    whole = content_type == "application/problem+json" and body.get("code") and body.get("detail") and body.get("status") == status
    return None if whole else "no problem+json"
