"""Answers with a temporary file, read as fast as the client takes it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from typing import IO

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_BLOCK = 256 * 1024  # bytes read in one go

EACH = 4
"""Most files of one client at once: each is on disk until the client has read it."""


class FileAnswer(StreamingResponse):
    """Sends `file` as the client reads it, and closes `held` afterwards. In memory, files would be there until slow clients have them."""

    def __init__(
        self, file: IO[bytes], headers: Mapping[str, str], held: ExitStack, *, media_type: str = "application/octet-stream"
    ) -> None:
        super().__init__(_blocks(file), headers=headers, media_type=media_type)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, _BLOCK):
        yield block
