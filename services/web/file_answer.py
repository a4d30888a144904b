"""Answers with a temporary file, read as fast as the client takes it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.domain.client import Client
from services.domain.errors import LimitReached

_BLOCK = 256 * 1024  # bytes read in one go
_EACH = 4  # files of one client


class ClientFiles:
    """Counts the files that are made for a client, or wait on disk until it has read them."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    @contextmanager
    def one(self, client: Client) -> Iterator[None]:
        """One more, until this context ends. Raises LimitReached."""
        if self._held[client.name] >= _EACH:
            raise LimitReached(f"At most {_EACH} files of calls at once.", retry_after=5)
        self._held[client.name] += 1
        try:
            yield
        finally:
            self._held[client.name] -= 1


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
