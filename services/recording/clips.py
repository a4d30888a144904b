"""Cuts a clip out of a finished recording: the sound between two moments as FLAC or WAV, with the lines that were said in it."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

import soundfile

from services.domain.client import Client
from services.domain.errors import CantRecord, FieldError, LimitReached, RecordingDamaged, RequestError
from services.recording.archive import Sound
from services.recording.recordings import Recordings

LONGEST_S = 600.0
_AT_ONCE = 2  # clips that are cut; each takes a processor core for a moment
_WAITING = 8  # clips that are cut or wait for that
_BLOCK_S = 5.0  # of sound copied in one go

Format = Literal["flac", "wav"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The sound in an open temporary file, to be closed by who got it. `size` in bytes; `lines` with times from the clip's beginning."""

    file: IO[bytes]
    size: int
    lines: Sequence[dict[str, Any]]


class Clips:
    """Cuts in threads, so that neither the event loop nor the sound waits."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._asked = 0

    async def cut(self, call_id: str, start_s: float, end_s: float, form: Format, client: Client, *, commented: bool) -> Clip:
        """The recording from `start_s` to `end_s`, in seconds from its beginning. A clip that goes on past its end stops there.
        `commented`: the file's comment has the lines.

        Raises RequestError for moments that are not in the recording, or in two parts of it, LimitReached, RecordingNotFound,
        RecordingUnfinished, StoreError, RecordingDamaged, and CantRecord if the disk is full.
        """
        if self._asked >= _WAITING:
            raise LimitReached("Too many clips are being cut. Try again in a few seconds.", retry_after=5)
        self._asked += 1
        try:
            async with self._places:
                return await self._cut(call_id, start_s, end_s, form, client, commented=commented)
        finally:
            self._asked -= 1

    async def lines(self, call_id: str, start_s: float, end_s: float) -> list[dict[str, Any]]:
        """What was said between two moments. Raises the same but LimitReached."""
        _check(start_s, end_s)
        said = json.loads(await self._recordings.text(call_id, "transcript"))["lines"]
        return [
            {**line, "at": round(line["at"] - start_s, 3), "until": round(line["until"] - start_s, 3)}
            for line in said
            if line["until"] > start_s and line["at"] < end_s
        ]

    async def _cut(self, call_id: str, start_s: float, end_s: float, form: Format, client: Client, *, commented: bool) -> Clip:
        lines = await self.lines(call_id, start_s, end_s)
        parts = json.loads(await self._recordings.text(call_id, "recording"))["parts"]
        part = next((part for part in parts if part["at"] <= start_s < part["at"] + part["seconds"]), None)
        if part is None:
            raise RequestError("The recording has no sound at this moment.", errors=[FieldError("from", "Before the recording's end.")])
        if any(start_s < other["at"] < end_s for other in parts):
            raise RequestError("This clip is in two parts of the recording. Ask for one up to where the part ends, and for one from there.")
        sound = await self._recordings.part(call_id, part["part"], client, action="download-clip")
        said = "\n".join(f"{line['at']:.1f} {line['speaker']}: {line['text']}" for line in lines if commented)
        try:
            source = await _local(sound)
            # The thread goes on if this is cancelled, so it alone closes what it reads.
            file, size = await asyncio.to_thread(_copy, source, start_s - part["at"], end_s - part["at"], form, said)
        except OSError as error:
            log.error("could not cut a clip: %s", error)
            raise CantRecord("The clip can't be written down. The disk may be full.") from None
        return Clip(file=file, size=size, lines=lines)


def _check(start_s: float, end_s: float) -> None:
    if not 0 <= start_s < end_s or end_s - start_s > LONGEST_S:
        detail = f"A clip has its end after its beginning, and at most {LONGEST_S:.0f} seconds."
        raise RequestError(detail, errors=[FieldError("to", detail)])


async def _local(sound: Sound) -> IO[bytes]:
    """The sound as an open file: a copy of what is in the store, since FLAC is sought in."""
    if isinstance(sound, Path):
        return await asyncio.to_thread(sound.open, "rb")
    file = await asyncio.to_thread(TemporaryFile)
    try:
        async for chunk in await sound.opened(0, sound.size):
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.seek, 0)
    except BaseException:
        file.close()
        raise
    return file


def _copy(source: IO[bytes], start_s: float, end_s: float, form: Format, said: str) -> tuple[IO[bytes], int]:
    """Writes the clip into a file, sample by sample as it is, with `said` as its comment. Returns it with its size in bytes. Blocking."""
    with source, ExitStack() as held:
        file = held.enter_context(TemporaryFile())
        with _readable(), soundfile.SoundFile(source) as whole, _Sink(file) as written:
            first, last = round(start_s * whole.samplerate), min(round(end_s * whole.samplerate), whole.frames)
            whole.seek(first)
            with soundfile.SoundFile(written, "w", whole.samplerate, whole.channels, subtype="PCM_16", format=form.upper()) as sink:
                if said:
                    sink.comment = said
                for frames in _blocks(last - first, round(_BLOCK_S * whole.samplerate)):
                    sink.write(whole.read(frames, dtype="int16", always_2d=True))
        size = file.seek(0, 2)
        file.seek(0)
        held.pop_all()
        return file, size


class _Sink:
    """Passes on to `file` what libsndfile writes, which loses exceptions: the first one is raised at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._error: OSError | None = None

    def __enter__(self) -> "_Sink":
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._error:
            raise self._error

    def write(self, data: bytes) -> int:
        return self._caught(lambda: self._file.write(data), 0)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._caught(lambda: self._file.seek(offset, whence), -1)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def _caught(self, do: Callable[[], int], failed: int) -> int:
        try:
            return do()
        except OSError as error:
            self._error = self._error or error
            return failed


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise RecordingDamaged(f"The recording can't be read: {error}") from None


def _blocks(samples: int, block: int) -> Iterator[int]:
    for at in range(0, samples, block):
        yield min(block, samples - at)
