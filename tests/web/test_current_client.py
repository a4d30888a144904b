"""A request without a known client is refused."""

from pathlib import Path

import aiohttp
import pytest

from services.listening.relay import Relay
from services.vapi.gateway import Gateway
from services.web.access.tickets import Tickets
from services.web.api import create_api
from tests.desks import SETTINGS, desk_in
from tests.serving import serving
from tests.stand_in import StandIn
from tests.web.test_authentication import NUMBER, PASSWORD, earshot

ROUTES = [
    ("POST", "/api/vapi_call"),
    ("GET", "/api/calls"),
    ("GET", "/api/calls/one"),
    ("GET", "/api/calls/one/events"),
    ("POST", "/api/calls/one/end"),
    ("POST", "/api/calls/one/control"),
    ("POST", "/api/calls/end-all"),
    ("GET", "/api/dialling"),
    ("POST", "/api/dialling/stop"),
    ("POST", "/api/dialling/resume"),
    ("GET", "/api/dialling/blocked"),
    ("POST", "/api/dialling/blocked"),
    ("GET", "/api/dialling/recording"),
    ("POST", "/api/dialling/recording"),
    ("DELETE", "/api/dialling/blocked?rule=%2B1900*"),
]
BODIES = {
    "/api/dialling/blocked": {"rule": "+1900*"},
    "/api/dialling/recording": {"default": "off"},
    "/api/vapi_call": {"to": NUMBER},
    "/api/calls/one/control": {"action": "mute-assistant"},
}


@pytest.mark.slow
async def test_an_api_without_authentication_in_front_refuses_everybody(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as desk:
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look)
        api = create_api(desk=desk, relay=relay, tickets=Tickets(), switch=desk.switch, settings=SETTINGS, version="1")
        async with serving(api) as url, aiohttp.ClientSession() as session:
            for method, path in ROUTES:
                async with session.request(method, url + path, json=BODIES.get(path)) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (401, "unauthorized"), path
        await relay.aclose()
    await gateway.aclose()
    assert vapi.dials == 0


async def test_strangers_get_only_static_files_and_may_send_nothing(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, aiohttp.ClientSession() as session:
        for path in ("/_nicegui/client/one/upload/1", "/assets/x", "/login/x", "/loginx", "/logout/all", "/"):
            async with session.post(url + path, data=b"x", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"][:12]) == (303, "/login?next="), path
