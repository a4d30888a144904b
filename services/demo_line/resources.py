"""The account's assistants, phone numbers or squads: listed, created, changed and deleted. In memory, and gone when the process ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from services.demo_line import responses
from services.demo_line.json_body import read_json
from services.demo_line.responses import Body, Refusal, stamp
from services.demo_line.validation import select

MOST = 100
"""Of each kind. One more is refused."""
LARGEST = 64 * 1024
"""Bytes of a body."""

Check = Callable[[object, Body | None], Body]
"""Returns the fields of a body. The second argument is the resource that it changes, None for a new one. Raises Refusal as Vapi does."""


class Resources:
    """`bodies` of one kind, newest first, as in Vapi's lists. `kind` is their name in errors."""

    def __init__(self, kind: str, bodies: list[Body], check: Check, org_id: str) -> None:
        self.bodies = bodies
        self._kind = kind
        self._check = check
        self._org_id = org_id

    async def listed(self, request: web.Request) -> web.Response:
        return web.json_response(select(self.bodies, request.query))

    async def one(self, request: web.Request) -> web.Response:
        return web.json_response(self._find(request))

    async def create(self, request: web.Request) -> web.Response:
        fields = self._check(await read_json(request, most=LARGEST), None)
        if len(self.bodies) >= MOST:
            raise Refusal(400, f"The Demo Line Keeps {MOST} Of Each Kind. Delete One First.")
        body = responses.resource(self._org_id, datetime.now(UTC)) | _without_nulls(fields)
        self.bodies.insert(0, body)
        return web.json_response(body, status=201)

    async def change(self, request: web.Request) -> web.Response:
        fields = self._check(await read_json(request, most=LARGEST), self._find(request))
        body = self._find(request)  # again: it may have been deleted while the request was read
        later = datetime.fromisoformat(body["updatedAt"]) + timedelta(milliseconds=1)
        changed = _without_nulls(body | fields | {"updatedAt": stamp(max(datetime.now(UTC), later))})
        body.clear()
        body |= changed
        return web.json_response(body)

    async def delete(self, request: web.Request) -> web.Response:
        body = self._find(request)
        self.bodies[:] = [one for one in self.bodies if one is not body]
        return web.json_response(body)

    def _find(self, request: web.Request) -> Body:
        found = next((body for body in self.bodies if body["id"] == request.match_info["id"]), None)
        if found is None:
            raise Refusal(404, f"{self._kind} Not Found.")
        return found


def _without_nulls(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None}
