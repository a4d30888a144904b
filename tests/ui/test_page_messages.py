"""Whoever may open the page can send anything through its socket. It is ignored or refused, and the log has a line for it at most."""

import asyncio
import json
import re
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from tests.patience import HANG_S
from tests.process import running, vapi_environ
from tests.stand_in import StandIn

NUMBER = "+14155552671"
DEEP = "[" * 900 + "]" * 900
ARGS = (
    *("null", "true", "-1", "1e308", "0.5", '""', '"x"', '"\\u202e"', "[]", "[null]", "[[1], {}]", "{}", DEEP, "{", '"\\ud83d"', "NaN"),
    '"' + "x" * 100_000 + '"',
    '{"__proto__": 1, "detail": "x"}',
    '{"text": ["a"], "clocks": ["x", {}], "answered": {}, "names": 5, "values": {}, "asked": [], "assistant": {}, "caller_id": 1}',
    '{"text": "+14155552671", "clocks": [1, 2], "names": [[]], "values": [{}], "voicemail": {}, "first_message": []}',
    '{"name": {}, "role": [], "per_hour": [1], "regions": {}, "id": [], "kind": [], "above": "x", "effects": {}, "on": 1, "phrase": [[]]}',
    '{"region": [], "mode": {}, "url": 1, "kinds": [[]], "earliest": [], "latest": "x", "number": [], "calls": 1}',
    '{"number": "", "calls": true}',
    '{"scopes": [{}], "days": {}, "key": [], "family": [], "search": {}, "from": [], "state": {}}',
)
FRAMES: tuple[Any, ...] = (
    *(None, "x", 5, [], {}, {"client_id": []}, {"client_id": "PAGE"}, {"client_id": "PAGE", "id": []}, {"client_id": "PAGE", "id": 4}),
    *({"client_id": "PAGE", "id": 4, "listener_id": "x", "args": args} for args in (5, [], ["{"], [1], [None])),
    {"client_id": "PAGE", "request_id": [], "next_message_id": "x", "level": "x", "message": []},
    {"client_id": "PAGE", "tab_id": "x", "document_id": [], "next_message_id": {}},
)
KINDS = ("event", "javascript_response", "ack", "log", "handshake")


class Attacker:
    """A page whose browser sends what it likes."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.listeners: dict[str, tuple[int, str]] = {}
        self._session = session
        self._url = url
        self._page = ""
        self._socket = socketio.AsyncClient(http_session=session, reconnection=False)
        self._socket.on("*", self._hear)

    async def open(self, path: str) -> None:
        async with self._session.get(self._url + path) as answer:
            html = await answer.text()
        found = re.search(r"['\"]client_id['\"]: ['\"]([0-9a-f-]{36})", html)
        assert found
        self._page = found[1]
        elements = re.split(r'(?="\d+":\{"tag":)', html)
        for element in elements[1:]:
            number = re.match(r'"(\d+)"', element)
            assert number
            for listener in re.finditer(r'"listener_id":"([0-9a-f-]{36})","type":"([^"]+)"', element):
                self.listeners[listener[1]] = int(number[1]), listener[2]
        await self._socket.connect(self._url, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
        me = {"client_id": self._page, "tab_id": str(uuid.uuid4()), "document_id": str(uuid.uuid4()), "next_message_id": 0}
        assert await self._socket.call("handshake", me) is True

    async def close(self) -> None:
        await self._socket.disconnect()

    async def fire(self, listener: str, arg: str) -> None:
        number, _ = self.listeners[listener]
        await self._socket.emit("event", {"id": number, "client_id": self._page, "listener_id": listener, "args": [arg]})

    async def frame(self, kind: str, frame: Any) -> None:
        await self._socket.emit(kind, {**frame, "client_id": self._page} if isinstance(frame, dict) and "client_id" in frame else frame)

    async def all_read(self) -> None:
        """Returns once the server has read what was sent before, which it does in order."""
        assert await self._socket.call("handshake", {"client_id": self._page, "tab_id": "x", "document_id": "x"}, timeout=HANG_S) is False

    async def _hear(self, kind: str, *data: Any) -> None:
        if kind == "run_javascript" and (asked := data[0].get("request_id")):
            await self._socket.emit("javascript_response", {"client_id": self._page, "request_id": asked, "result": ["x", DEEP]})
        for number, element in data[0].items() if kind == "update" else ():
            for event in element.get("events") or () if isinstance(element, dict) else ():
                self.listeners.setdefault(event["listener_id"], (int(number), event["type"]))


@pytest.mark.process
async def test_whatever_a_page_sends_the_log_has_no_traceback_and_the_page_goes_on(tmp_path: Path, vapi: StandIn) -> None:
    environ = vapi_environ(vapi.url) | {"EARSHOT_PEOPLE": "on", "EARSHOT_PASSWORD": "correct horse"}
    async with running(tmp_path, environ) as app, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        origin = {"Origin": app.url}
        async with session.post(app.url + "/login", data={"password": "correct horse"}, headers=origin) as answer:
            assert answer.status == 200
        async with session.post(app.url + "/api/vapi_call", json={"to": NUMBER}, headers=origin) as answer:
            call = await answer.json()
        vapi.move(call["id"], "in-progress")
        attacker = Attacker(session, app.url)
        await attacker.open(f"/?call={call['id']}")
        tried: set[str] = set()
        for _ in range(3):  # what is opened has more
            for listener in attacker.listeners.keys() - tried:
                if attacker.listeners[listener][1] in ("toggle", "opened", "open"):
                    await attacker.fire(listener, '"open"')
            await attacker.all_read()
            for listener in attacker.listeners.keys() - tried:
                tried.add(listener)
                for arg in ARGS:
                    await attacker.fire(listener, arg)
            await attacker.all_read()
        for kind in KINDS:
            for frame in FRAMES:
                await attacker.frame(kind, frame)
        await attacker.all_read()
        assert {"dial", "send", "save", "submit", "choose"} <= {attacker.listeners[listener][1] for listener in tried}
        async with session.get(app.url + "/health") as answer:
            assert answer.status == 200
        await attacker.close()
        await asyncio.to_thread(app.stop)
    assert "Traceback" not in app.output
    assert app.output.count("can't be read (log)") == len(FRAMES)
    assert vapi.dials == 1
    assert not json.dumps(vapi.controls).count("transfer")
