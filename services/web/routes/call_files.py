"""What Vapi stores of a call besides its sound, as downloads: the log, and the packet capture of its telephone line."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, Request, Response

from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.errors import VapiUnavailable
from services.vapi.recordings import LOG, PACKETS, Artifact, RecordingDownload
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS
from services.web.routes.recordings import ProblemRoute

_LARGEST = 64 * 1024 * 1024
"""Bytes. A packet capture of half an hour has about 35 MB."""
_AT_ONCE = 2  # each is held in memory
_GZIP = b"\x1f\x8b"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file as Vapi stores it"},
    **PROBLEMS,
}

Open = Callable[[str, Artifact], AbstractAsyncContextManager[RecordingDownload]]


def call_files_router(open_file: Open, desk: CallDesk) -> APIRouter:
    """`GET /api/calls/{id}/call-logs` and `/pcap`, fetched with the private key. 404 `recording_not_found` where Vapi has none."""
    return _CallFiles(open_file, desk).add_to(APIRouter(), "/api/calls/{call_id}")


def page_files_router(open_file: Open, desk: CallDesk) -> APIRouter:
    """The same for the page, with the page's own authentication."""
    return _CallFiles(open_file, desk).add_to(APIRouter(route_class=ProblemRoute, include_in_schema=False), "/call-files/{call_id}")


class _CallFiles:
    def __init__(self, open_file: Open, desk: CallDesk) -> None:
        self._open = open_file
        self._desk = desk
        self._places = asyncio.Semaphore(_AT_ONCE)

    def add_to(self, router: APIRouter, base: str) -> APIRouter:
        router.add_api_route(f"{base}/call-logs", self.log, response_class=Response, responses=_FILE, summary="Vapi's log of a call")
        router.add_api_route(f"{base}/pcap", self.packets, response_class=Response, responses=_FILE, summary="The packet capture of a call")
        return router

    async def log(self, request: Request, call_id: str) -> Response:
        """What Vapi logged during the call. It holds the conversation too."""
        return await self._answer(request, call_id, LOG, "download-log", "log.jsonl")

    async def packets(self, request: Request, call_id: str) -> Response:
        """Of calls on Vapi's own numbers and SIP trunks. It holds the sound too."""
        return await self._answer(request, call_id, PACKETS, "download-packets", "packets.pcap")

    async def _answer(self, request: Request, call_id: str, artifact: Artifact, action: str, name: str) -> Response:
        client = client_of(request, Scope.LISTEN)
        call = await self._desk.read(call_id, client)
        async with self._places:
            content = await self._content(call.id, artifact)
        self._desk.note(client, action, call)
        name = f"call-{re.sub('[^A-Za-z0-9_-]', '', call.id)[:64]}-{name}{'.gz' if content.startswith(_GZIP) else ''}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-cache, private",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, headers=headers, media_type="application/octet-stream")

    async def _content(self, call_id: str, artifact: Artifact) -> bytes:
        content = bytearray()
        async with self._open(call_id, artifact) as download:
            async for chunk in download.chunks:
                content += chunk
                if len(content) > _LARGEST:
                    raise VapiUnavailable("The file is too large to be passed on. Download it in the Vapi dashboard.", retryable=False)
        return bytes(content)
