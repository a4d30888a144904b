"""Reads a request's JSON."""

import json
from typing import Any

from aiohttp import web

from services.demo_line.responses import Refusal


async def read_json(request: web.Request, *, most: int | None = None) -> Any:
    """The parsed body. Raises Refusal if it is not JSON, or larger than `most` bytes."""
    body = await request.read()
    if most is not None and len(body) > most:
        raise Refusal(413, "request entity too large")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, str(error)) from error
