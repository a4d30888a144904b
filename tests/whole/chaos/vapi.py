"""A Vapi that answers dials late, wrongly or never, and whose calls ring, talk, end and get a cost by themselves."""

import asyncio
import random
from collections import defaultdict
from typing import Any

from aiohttp import web

from tests.stand_in import Answer, Body, StandIn, _now

WAYS: list[Answer] = [
    *["created"] * 12,
    *["created then 500"] * 2,
    *["created then drop"] * 2,
    "created then hang",
    "drop",
    (429, {"message": "Rate limit exceeded"}),
    (500, {"message": "Internal server error"}),
]
"""How dials are answered. Only the 429 says that nothing was placed."""

_STEP_S = 0.2


class RestlessVapi(StandIn):
    """`posts` are the answers to the dials of each number, in order. With `calm`, dials are answered at once, and no call moves."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.answer = self._choose
        self.calm = False
        self.posts: defaultdict[str, list[Answer]] = defaultdict(list)
        self._chance = chance
        self._due: dict[str, list[tuple[float, Body]]] = {}

    async def create(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        if not self.calm:
            # Also if the app dies meanwhile: Vapi may place a call although nobody waits for the answer any more.
            await asyncio.sleep(self._chance.uniform(0.0, 1.0))
        return await super().create(request)

    async def live(self) -> None:
        """Moves the calls until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            for call_id, due in self._due.items():
                while due and due[0][0] <= clock() and not self.calm:
                    if call_id in self.calls:
                        self._change(call_id, due.pop(0)[1])
            await asyncio.sleep(_STEP_S)

    @property
    def at_rest(self) -> bool:
        """True once every call has ended and has its cost."""
        return not any(self._due.values())

    def _change(self, call_id: str, fields: Body) -> None:
        status = fields.get("status") or self.calls[call_id]["status"]
        if self.calls[call_id]["status"] == "ended":  # hung up in between
            status, fields = "ended", {name: value for name, value in fields.items() if name == "cost"}
        self.move(call_id, status, **{name: value for name, value in fields.items() if name != "status"})

    def _call(self, body: Body) -> Body:
        call = super()._call(body)
        answered = asyncio.get_running_loop().time() + self._chance.uniform(0.5, 2.0)
        ended = answered + self._chance.uniform(1.0, 5.0)
        if not self.calm:
            self._due[call["id"]] = [
                (answered, {"status": "in-progress", "startedAt": _now()}),
                (ended, {"status": "ended", "endedAt": _now(), "endedReason": "customer-ended-call"}),
                (ended + self._chance.uniform(0.0, 4.0), {"cost": round(self._chance.uniform(0.01, 2.0), 4)}),
            ]
        return call

    def _choose(self) -> Answer:
        way = "created" if self.calm else self._chance.choice(WAYS)
        self.posts[_number(self.bodies[-1])].append(way)
        return way


def refused(way: Answer) -> bool:
    """True if an answer says that nothing was placed."""
    return isinstance(way, tuple) and way[0] < 500


def created(vapi: StandIn) -> dict[str, list[Body]]:
    """The calls by their number."""
    found: defaultdict[str, list[Body]] = defaultdict(list)
    for call in vapi.calls.values():
        found[_number(call)].append(call)
    return found


def _number(body: dict[str, Any]) -> str:
    return str(body["customer"]["number"])
