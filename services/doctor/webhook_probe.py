"""Sends a webhook as Vapi would, to see whether the assistant's server URL leads to an Earshot that accepts it."""

import asyncio
import json

import aiohttp

from services.vapi.account_checks import Finding
from services.vapi.transport import Client

_WAIT_S = 10.0
_BODY = json.dumps({"message": {"type": "hang"}}).encode()


async def probe_webhook(url: str, secret: str) -> Finding:
    """From this machine: whether Vapi reaches it too, only Vapi can tell."""
    http = Client(trust_env=True)
    headers = {"Content-Type": "application/json", "X-Vapi-Secret": secret}
    try:
        async with asyncio.timeout(_WAIT_S), http.stream("POST", url, content=_BODY, headers=headers) as response:
            status = response.status
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return Finding(level="problem", text=f"The assistant's server URL can't be reached from here ({type(error).__name__}).")
    finally:
        await http.aclose()
    if status == 200:
        return Finding(level="ok", text="The assistant's server URL leads to an Earshot that accepts the secret.")
    return Finding(level="problem", text=f"The assistant's server URL answers {status} to the secret in EARSHOT_WEBHOOK_SECRET.")
