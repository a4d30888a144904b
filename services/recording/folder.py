"""The folder of all recordings: one folder per call, limited in size, safe for several processes. Blocking: run it in a thread.

`<call id>/` holds `1.flac` (`2.flac`, ... for further parts), `recording.json`, `transcript.json` and `peaks.json`; during the
recording `1.pcm` and `1.jsonl`. Whoever writes or deletes holds `.lock`, which the system releases if the process is killed.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from services.domain.errors import RecordingNotFound, RecordingUnfinished
from services.recording.finish import Part, finish_part
from services.recording.writer import make_private
from services.support.rfc3339 import rfc3339
from services.support.whole_file import write_whole

CONSENT = "Recording a call may need the consent of everyone on it, in some places by law. Ask before you record."

_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_INFO, _TRANSCRIPT, _PEAKS = "recording.json", "transcript.json", "peaks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRecording:
    """A finished recording. `seconds` from first to last sound, `size` in bytes. Each of `parts` is a FLAC file with one format."""

    call_id: str
    started_at: datetime
    seconds: float
    size: int
    parts: tuple[Path, ...]


class RecordingFolder:
    """All recordings below `path`. No call id leads outside of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, call_id: str) -> Path:
        """The folder of a call's recording, which may not exist. Raises RecordingNotFound for an invalid id."""
        if not _CALL_ID.fullmatch(call_id):
            raise RecordingNotFound("There is no recording of a call with this id.")
        return self.path / call_id

    def read(self, call_id: str) -> FinishedRecording | None:
        """The finished recording of a call, or None."""
        folder = self.of(call_id)
        try:
            info = json.loads((folder / _INFO).read_bytes())
        except FileNotFoundError:
            return None
        files = tuple(folder / f"{part['part']}.flac" for part in info["parts"])
        return FinishedRecording(
            call_id=call_id,
            started_at=datetime.fromisoformat(info["startedAt"]),
            seconds=info["seconds"],
            size=sum(file.stat().st_size for file in files),
            parts=files,
        )

    def text(self, call_id: str, what: str) -> bytes:
        """`recording`, `transcript` or `peaks` as JSON. Raises RecordingNotFound, RecordingUnfinished."""
        folder = self.of(call_id)
        try:
            return (folder / f"{what}.json").read_bytes()
        except FileNotFoundError:
            raise self.absent(call_id) from None

    def absent(self, call_id: str) -> RecordingNotFound | RecordingUnfinished:
        """Why a call has no finished recording."""
        if any(self.of(call_id).glob("*.pcm")):
            return RecordingUnfinished("This call is still being recorded. Try again when the recording has ended.")
        return RecordingNotFound("This call was not recorded here, or its recording was deleted.")

    def finished(self) -> set[str]:
        return {file.parent.name for file in self.path.glob(f"*/{_INFO}")}

    def unfinished(self) -> set[str]:
        return {file.parent.name for file in self.path.glob("*/*.pcm")}

    def finish(self, call_id: str) -> bool:
        """Encodes raw parts as FLAC unless they are being written. Returns True if a recording exists. Raises what `finish_part` raises."""
        folder = self.of(call_id)
        if not folder.is_dir():
            return False
        with _held(folder) as held:
            for raw in sorted(folder.glob("*.pcm"), key=lambda path: int(path.stem)) if held else ():
                if part := finish_part(raw):
                    _add(folder, call_id, part)
                raw.unlink()
                raw.with_suffix(".jsonl").unlink(missing_ok=True)
            if held and not (folder / _INFO).exists():
                _remove(folder)
        return (folder / _INFO).exists()

    def delete(self, call_id: str) -> bool:
        """Returns False if there was nothing to delete. Raises RecordingUnfinished while it is being written."""
        folder = self.of(call_id)
        if not folder.is_dir():
            return False
        with _held(folder) as held:
            if not held:
                raise RecordingUnfinished("This call is being recorded. Stop the recording first.")
            _remove(folder)
        return True

    def make_room(self, limit: int) -> tuple[list[str], bool]:
        """Deletes the oldest recordings until all take at most `limit` bytes, except those being written. Returns their ids, and whether
        the limit is met. Raw sound counts twice, because its FLAC lies beside it for a moment.
        """
        folders = [folder for folder in self.path.iterdir() if folder.is_dir()] if self.path.is_dir() else []
        oldest_first = sorted((*_age_and_size(folder), folder) for folder in folders)
        total, deleted = sum(size for _, size, _ in oldest_first), []
        for _, size, folder in oldest_first:
            if total <= limit:
                break
            with _held(folder) as held:
                if held:
                    _remove(folder)
                    deleted.append(folder.name)
                    total -= size
        return deleted, total <= limit

    def free(self) -> int:
        """Free bytes on the disk."""
        make_private(self.path)
        return shutil.disk_usage(self.path).free


def _add(folder: Path, call_id: str, part: Part) -> None:
    """Adds a part to the JSON files. Repeating it after a crash changes nothing."""
    number = part.facts["part"]
    infos = sorted([*_others(folder / _INFO, "parts", number), part.facts], key=lambda info: int(info["part"]))
    end = 0.0
    for info in infos:
        info["at"] = round(max(end, info["startedAt"] - infos[0]["startedAt"]), 3)
        end = info["at"] + info["seconds"]
    starts = {info["part"]: info["at"] for info in infos}
    started_at = rfc3339(datetime.fromtimestamp(infos[0]["startedAt"], UTC))
    common = {"callId": call_id, "startedAt": started_at, "seconds": round(end, 3)}
    marks = [mark | {"at": round(info["at"] + mark["at"], 3)} for info in infos for mark in info["marks"]]
    lines = _others(folder / _TRANSCRIPT, "lines", number) + [
        {**line, "at": round(starts[number] + line["at"], 3), "until": round(starts[number] + line["until"], 3), "part": number}
        for line in part.lines
    ]
    lanes = [
        lane | {"at": starts[lane["part"]], "seconds": next(info["seconds"] for info in infos if info["part"] == lane["part"])}
        for lane in sorted([*_others(folder / _PEAKS, "parts", number), part.peaks], key=lambda lane: int(lane["part"]))
    ]
    _write(folder / _TRANSCRIPT, {**common, "lines": sorted(lines, key=lambda line: float(line["until"]))})
    _write(folder / _PEAKS, {**common, "marks": marks, "parts": lanes})
    _write(folder / _INFO, {**common, "consent": CONSENT, "parts": infos})


def _others(path: Path, name: str, number: int) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [item for item in json.loads(path.read_bytes())[name] if item["part"] != number]


def _write(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")))


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    lock = FileLock(folder / ".lock", mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except (Timeout, FileNotFoundError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
        if not _files(folder):
            with suppress(OSError):
                (folder / ".lock").unlink(missing_ok=True)
                folder.rmdir()


def _remove(folder: Path) -> None:
    """Deletes all files but the lock, which is deleted when it is released."""
    for file in _files(folder):
        file.unlink(missing_ok=True)


def _age_and_size(folder: Path) -> tuple[float, int]:
    """When the folder was last written to, and the bytes it counts for. Ignores files that vanish meanwhile."""
    changed, size = 0.0, 0
    for file in _files(folder):
        with suppress(FileNotFoundError):
            found = file.stat()
            changed = max(changed, found.st_mtime)
            size += found.st_size * (2 if file.suffix == ".pcm" else 1)
    return changed, size


def _files(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if file.name != ".lock"]
    except FileNotFoundError:
        return []
