"""A stand-in for Vapi that is much faster than what is measured with it. It creates calls and lists them."""

import os
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

HOST = "127.0.0.1"
PORT = int(os.environ["PORT"])
calls: deque[dict[str, Any]] = deque(maxlen=1000)


async def create(request: web.Request) -> web.Response:
    order = orjson.loads(await request.read())
    call_id = str(uuid.uuid4())
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    call = {
        "id": call_id,
        "orgId": "org",
        "type": "outboundPhoneCall",
        "status": "queued",
        "createdAt": now,
        "updatedAt": now,
        "assistantId": order["assistantId"],
        "phoneNumberId": order["phoneNumberId"],
        "customer": order["customer"],
        "name": order.get("name"),
        "cost": 0,
        "monitor": {"listenUrl": f"ws://{HOST}:{PORT}/{call_id}/listen", "controlUrl": f"http://{HOST}:{PORT}/{call_id}/control"},
        "subscriptionLimits": {"concurrencyBlocked": False, "concurrencyLimit": 10, "remainingConcurrentCalls": 9},
    }
    calls.appendleft(call)
    return web.Response(status=201, body=orjson.dumps(call), content_type="application/json")


async def listed(request: web.Request) -> web.Response:
    since, until = request.query.get("updatedAtGe", ""), request.query.get("createdAtLe", "~")
    found = [call for call in calls if call["updatedAt"] >= since and call["createdAt"] <= until]
    return web.Response(body=orjson.dumps(found[: int(request.query.get("limit", 100))]), content_type="application/json")


async def empty(_request: web.Request) -> web.Response:
    return web.json_response([])


app = web.Application()
app.router.add_post("/call", create)
app.router.add_get("/call", listed)
app.router.add_get("/assistant", empty)
app.router.add_get("/phone-number", empty)
app.router.add_get("/", empty)

if __name__ == "__main__":
    web.run_app(app, host=HOST, port=PORT, print=None, access_log=None)
