"""What Vapi stores of a call besides its sound, as downloads: the log, and the packet capture of its telephone line."""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from tempfile import TemporaryFile
from typing import IO, Any

from fastapi import APIRouter, Request, Response

from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.errors import RecordingNotFound, VapiUnavailable
from services.vapi.recordings import LOG, PACKETS, Artifact, RecordingDownload
from services.web.access.current_client import client_of
from services.web.at_once import AtOnce
from services.web.connected import while_connected
from services.web.file_answer import EACH, FileAnswer
from services.web.problems import PROBLEMS
from services.web.routes.recordings import ProblemRoute

_LARGEST = 64 * 1024 * 1024
"""Bytes. A packet capture of half an hour has about 35 MB."""
_AT_ONCE = 4  # fetched from Vapi
_LONGEST_S = 600.0  # of fetching one
_BLOCK = 256 * 1024  # bytes written in one go
_GZIP = b"\x1f\x8b"
_LEFT = 499
"""The status, as nginx has it, of what nobody is there to read."""
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file as Vapi stores it"},
    **PROBLEMS,
}

log = logging.getLogger(__name__)

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
        self._files = AtOnce(EACH, "files of calls")

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
        if call.erasure:
            raise RecordingNotFound("The data of this call was deleted.")
        with ExitStack() as held:
            held.enter_context(self._files.one(client))
            self._desk.count_request(client)
            fetched = await while_connected(request.receive, self._fetch(call.id, artifact))
            if fetched is None:
                return Response(status_code=_LEFT)
            file, size, head = fetched
            held.enter_context(file)
            self._desk.note(client, action, call)
            name = f"call-{re.sub('[^A-Za-z0-9_-]', '', call.id)[:64]}-{name}{'.gz' if head.startswith(_GZIP) else ''}"
            headers = {
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Length": str(size),
                "Cache-Control": "no-cache, private",
                "X-Content-Type-Options": "nosniff",
            }
            return FileAnswer(file, headers, held.pop_all())

    async def _fetch(self, call_id: str, artifact: Artifact) -> tuple[IO[bytes], int, bytes]:
        """The file of Vapi's, to be closed by who gets it, its size in bytes, and how it begins. Raises VapiUnavailable and the errors
        of `open`.
        """
        with ExitStack() as held:
            try:
                file = held.enter_context(await asyncio.to_thread(TemporaryFile))
                async with self._places:
                    size, head = await self._write(call_id, artifact, file)
            except OSError as error:
                log.error("could not keep a file of Vapi's: %s", error)
                raise VapiUnavailable("The file can't be stored for the download. The disk may be full.") from None
            held.pop_all()
            return file, size, head

    async def _write(self, call_id: str, artifact: Artifact, file: IO[bytes]) -> tuple[int, bytes]:
        size, head, waiting = 0, b"", bytearray()
        try:
            async with asyncio.timeout(_LONGEST_S), self._open(call_id, artifact) as download:
                async for chunk in download.chunks:
                    head = head if len(head) >= len(_GZIP) else head + chunk[: len(_GZIP)]
                    waiting += chunk
                    size += len(chunk)
                    if size > _LARGEST:
                        raise VapiUnavailable("The file is too large to be passed on. Download it in the Vapi dashboard.", retryable=False)
                    if len(waiting) >= _BLOCK:
                        await asyncio.to_thread(file.write, waiting)
                        waiting = bytearray()
        except TimeoutError:
            raise VapiUnavailable("The file arrives too slowly. Try again.") from None
        await asyncio.to_thread(file.write, waiting)
        await asyncio.to_thread(file.seek, 0)
        return size, head
