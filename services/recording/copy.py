"""A file that is read while it arrives."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from services.domain.errors import EarshotError, VapiUnavailable

_BLOCK = 256 * 1024  # bytes read in one go
_FORMATS = ((b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"), (b"fLaC", "audio/flac"), (b"OggS", "audio/ogg"))


def media_type_of(head: bytes) -> str:
    """By the file itself: what a browser gets from here must be sound, whatever was sent. Raises VapiUnavailable."""
    found = next((media_type for magic, media_type in _FORMATS if head.startswith(magic)), None)
    if found is None and len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # an MPEG frame without a tag before it
        found = "audio/mpeg"
    if found is None:
        raise VapiUnavailable("What Vapi sent as the recording is not sound.", retryable=False)
    return found


class Copy:
    """A recording on disk, complete or arriving. `size` is in bytes, None until it is known."""

    def __init__(self, path: Path, media_type: str, size: int | None) -> None:
        self.path = path
        self.media_type = media_type
        self.size = size
        self.readers = 0
        self._written = 0
        self._over = False
        self._problem: EarshotError | None = None
        self._grown = asyncio.Event()

    @property
    def held(self) -> int:
        """Bytes that it takes, or will take, on the disk."""
        return max(self._written, self.size or 0)

    def grow(self, size: int) -> None:
        """`size` more bytes are on disk."""
        self._written += size
        self._wake()

    def finish(self, problem: EarshotError | None = None) -> None:
        """All of it is on disk; or nothing more comes, because of `problem`."""
        if not problem and self.size is not None and self._written != self.size:
            problem = VapiUnavailable("The recording did not arrive completely. Try again.")
        self._over, self._problem = True, problem
        if not problem:
            self.size = self._written
        self._wake()

    @property
    def broken(self) -> bool:
        return self._problem is not None

    async def complete(self) -> int:
        """Waits for the last byte. Returns the size in bytes. Raises the error that ended the download."""
        while not self._over:
            await self._grown.wait()
        if self._problem:
            raise self._problem
        return self._written

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, as they arrive. Raises the error that ended the download."""
        self.readers += 1
        try:
            with await asyncio.to_thread(self.path.open, "rb") as file:
                file.seek(start)
                while start < end:
                    while not self._over and self._written < min(end, start + _BLOCK):
                        await self._grown.wait()
                    if self._problem:
                        raise self._problem
                    block = await asyncio.to_thread(file.read, min(_BLOCK, end - start))
                    if not block:
                        return
                    start += len(block)
                    yield block
        finally:
            self.readers -= 1

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
