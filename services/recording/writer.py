"""Writes a recording in progress: raw sound, and beside it a log of everything known about it.

Both are appended without a buffer in this process, so that everything written survives a `kill -9`. `finish` encodes them as FLAC.
Blocking: run it in a thread.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from services.domain.errors import RecordedElsewhere
from services.domain.speech import Utterance
from services.domain.stream_format import StreamFormat
from services.recording.locks import being_written, held, part_lock
from services.vapi.listen_events import read

Item = tuple[float, str | bytes | None]
"""What came and when (monotonic seconds): a text frame, sound in whole blocks, or None where sound was dropped."""

STALL = 0.5
"""Seconds without sound on an open line that are marked as a stall."""

_TICK = 5.0  # seconds of sound between two log lines with the byte count, from which an unannounced format is measured

_LAST_GAP = 5.0  # seconds that may pass between the last sound and the news that the call ended

_TRIES = 3  # to create a part: another process may delete the folder at that moment


class RecordingWriter:
    """Writes parts `1.pcm` and `1.jsonl`, `2.pcm`, ... into `folder`: a new part whenever the stream's format changes.

    `epoch` is the Unix time at which the items' monotonic clock was 0. The folder is created with the first sound. Each part is locked
    while it is written. `missing_from`: Unix time from which another process had recorded the call, until it stopped.
    """

    def __init__(self, folder: Path, *, call_id: str, epoch: float, missing_from: float | None = None) -> None:
        self._folder = folder
        self._call_id = call_id
        self._epoch = epoch
        self._missing_from = missing_from
        self._part: _Part | None = None
        self._format: StreamFormat | None = None
        self._assumed = False

    def write(self, items: Sequence[Item]) -> None:
        """Writes the next items. Raises OSError, RecordedElsewhere."""
        for at, item in items:
            if isinstance(item, bytes):
                self._sound(at, item)
            elif item is None:
                self._interrupt("lost")
            else:
                self._text(item)
        if self._part:
            self._part.flush()

    def close(self, why: str, at: float) -> None:
        """Ends the current part and logs why and when. May be called twice."""
        part, self._part = self._part, None
        if part:
            part.close(why, at)

    def _sound(self, at: float, sound: bytes) -> None:
        assert self._format  # noqa: S101 - the relay announces a format before any sound
        if self._part and self._part.form != self._format:
            self._part.close("format changed", at)
            self._part = None
        self._part = self._part or self._begin(at, self._format)
        self._part.add(at, sound)

    def _text(self, text: str) -> None:
        event = read(text)
        if isinstance(event, StreamFormat):
            self._format, self._assumed = event, '"assumed":true' in text
        elif self._part and event and event.events:
            for said in event.events:
                if isinstance(said, Utterance) and said.final:
                    self._part.note(kind="said", speaker=said.speaker, text=said.text)
        elif '"state":"interrupted"' in text and text.startswith('{"type":"stream"'):
            self._interrupt("gap")

    def _interrupt(self, kind: Literal["gap", "lost"]) -> None:
        if self._part:
            self._part.interruption = kind

    def _begin(self, at: float, form: StreamFormat) -> "_Part":
        for last in (False,) * (_TRIES - 1) + (True,):
            make_private(self._folder)
            try:
                with held(self._folder):
                    if being_written(self._folder):  # by a process that has no lease: the journal could not be written
                        raise RecordedElsewhere("Another process is recording this call.", code="elsewhere")
                    numbers = [int(path.stem) for path in self._folder.iterdir() if path.stem.isdecimal()]
                    part = _Part(self._folder / str(1 + max(numbers, default=0)), form=form, began=at, epoch=self._epoch)
                break
            except FileNotFoundError:
                if last:
                    raise
        missing, self._missing_from = self._missing_from, None
        begin = {"callId": self._call_id, "startedAt": self._epoch + at, "start": form.start_frame(assumed=self._assumed)}
        part.note(kind="part", **begin, **({"missingFrom": missing} if missing else {}))
        return part


class _Part:
    """Sound of one format. Each log line has its position in bytes of sound; times are in seconds since the first sound."""

    def __init__(self, path: Path, *, form: StreamFormat, began: float, epoch: float) -> None:
        self.form = form
        self.interruption: Literal["", "gap", "lost"] = ""
        self._began = began
        self._epoch = epoch
        self._last = began
        self._ticked = began
        self._written = 0
        self._sound: list[bytes] = []
        self._bytes = 0
        self._lines: list[str] = []
        self._lock = part_lock(path)
        self._lock.acquire()
        # The log is created first, because sound can't be read without it.
        self._files = [_create(path.with_suffix(suffix)) for suffix in (".jsonl", ".pcm")]

    def note(self, **line: Any) -> None:
        self._lines.append(json.dumps(line | {"byte": self._bytes}, separators=(",", ":")) + "\n")

    def add(self, at: float, sound: bytes) -> None:
        kind = self.interruption or ("stall" if at - self._last > STALL else "")
        if kind:
            self._mark(kind, at)
            self.interruption = ""
        elif at - self._ticked >= _TICK:
            self.note(kind="tick", elapsed=round(at - self._began, 4))
            self._ticked = at
        self._last = at
        self._sound.append(sound)
        self._bytes += len(sound)

    def flush(self) -> None:
        """Writes the log first: a line about missing sound can be detected, missing lines could not."""
        lines, self._lines = "".join(self._lines).encode(), []
        sound, self._sound = b"".join(self._sound), []
        _write(self._files[0], lines)
        _write(self._files[1], sound)

    def close(self, why: str, at: float) -> None:
        if self.interruption and at - self._last > _LAST_GAP:
            self._mark(self.interruption, at)
        self.note(kind="end", why=why)
        try:
            self.flush()
        finally:
            for file in self._files:
                os.close(file)
            self._lock.release()

    def _mark(self, kind: str, at: float) -> None:
        seconds, time = round(at - self._last, 4), round(self._epoch + self._last, 3)
        self.note(kind=kind, elapsed=round(at - self._began, 4), seconds=seconds, time=time)


def make_private(folder: Path) -> None:
    """Creates a folder and its missing parents for their owner only."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.is_dir()]):
        path.mkdir(mode=0o700, exist_ok=True)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
