"""The folder of all recordings: one folder per call, limited in size, safe for several processes. Blocking: run it in a thread.

`<call id>/` holds `1.flac` (`2.flac`, ... for further parts), `recording.json`, `transcript.json` and `peaks.json`; during the
recording `1.pcm` and `1.jsonl`.
"""

import json
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import Timeout

from services.domain.errors import RecordingNotFound, RecordingUnfinished
from services.recording.finish import finish_part
from services.recording.locks import files, finish_lock, held, idle, part_lock, remove_locks
from services.recording.parts import Part, joined, separated
from services.recording.writer import make_private
from services.support.whole_file import write_whole

_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_INFO = "recording.json"
_DOCUMENTS = ("transcript", "peaks", "recording")


class RecordingFolder:
    """All recordings below `path`. No call id leads outside of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, call_id: str) -> Path:
        """The folder of a call's recording, which may not exist. Raises RecordingNotFound for an invalid id."""
        if not _CALL_ID.fullmatch(call_id):
            raise RecordingNotFound("There is no recording of a call with this id.")
        return self.path / call_id

    def parts(self, call_id: str) -> list[Part]:
        """The finished parts of a call's recording, by number; empty if there is none."""
        return _parts(self.of(call_id))

    def sounds(self, call_id: str) -> dict[int, Path]:
        """The FLAC file of each finished part, by its number."""
        folder = self.of(call_id)
        return {part.number: folder / f"{part.number}.flac" for part in _parts(folder)}

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
        for raw in sorted(folder.glob("*.pcm"), key=lambda path: int(path.stem)):
            with suppress(Timeout), finish_lock(raw):
                with part_lock(raw):
                    pass  # it is not being written, and never will be again
                if raw.exists():  # another process may just have finished it
                    part = finish_part(raw)
                    with held(folder):
                        if part:
                            _write(folder, call_id, [*(other for other in _parts(folder) if other.number != part.number), part])
                        raw.unlink()
                        raw.with_suffix(".jsonl").unlink(missing_ok=True)
                        remove_locks(raw)
        if (folder / _INFO).exists():
            return True
        with suppress(FileNotFoundError), idle(folder) as still:
            if still:
                _remove(folder)  # what a crash has left without any sound
        return False

    def drop(self, call_id: str, began_ms: Collection[int]) -> None:
        """Deletes the finished parts that began at these times, since 1970."""
        folder = self.of(call_id)
        with suppress(FileNotFoundError), held(folder):
            parts = _parts(folder)
            if left := [part for part in parts if part.began_ms not in began_ms]:
                _write(folder, call_id, left)
            else:
                for name in _DOCUMENTS:
                    (folder / f"{name}.json").unlink(missing_ok=True)
            for part in parts:
                if part not in left:
                    (folder / f"{part.number}.flac").unlink(missing_ok=True)

    def delete(self, call_id: str) -> bool:
        """Returns False if there was nothing to delete. Raises RecordingUnfinished while it is being written."""
        folder = self.of(call_id)
        with suppress(FileNotFoundError), idle(folder) as still:
            if not still:
                raise RecordingUnfinished("This call is being recorded. Stop the recording first.")
            return _remove(folder)
        return False

    def make_room(self, limit: int, delete_oldest: bool = True) -> tuple[list[str], bool]:
        """Deletes the oldest recordings until all take at most `limit` bytes, except those being written; only if `delete_oldest`. Returns
        their ids, and whether the limit is met. Raw sound counts twice, because its FLAC lies beside it for a moment.
        """
        folders = [folder for folder in self.path.iterdir() if folder.is_dir()] if self.path.is_dir() else []
        oldest_first = sorted((*_age_and_size(folder), folder) for folder in folders)
        total, deleted = sum(size for _, size, _ in oldest_first), []
        for _, size, folder in oldest_first:
            if total <= limit or not delete_oldest:
                break
            with suppress(FileNotFoundError), idle(folder) as still:
                if still:
                    _remove(folder)
                    deleted.append(folder.name)
                    total -= size
        return deleted, total <= limit

    def free(self) -> int:
        """Free bytes on the disk."""
        make_private(self.path)
        return shutil.disk_usage(self.path).free


def _parts(folder: Path) -> list[Part]:
    try:
        return separated({name: json.loads((folder / f"{name}.json").read_bytes()) for name in _DOCUMENTS})
    except FileNotFoundError:
        return []


def _write(folder: Path, call_id: str, parts: list[Part]) -> None:
    """Writes the documents; `recording.json` last, which says that there is a recording."""
    documents: dict[str, dict[str, Any]] = joined(call_id, parts)
    for name in _DOCUMENTS:
        write_whole(folder / f"{name}.json", json.dumps(documents[name], ensure_ascii=False, separators=(",", ":")))


def _remove(folder: Path) -> bool:
    """Deletes all files but the locks, which are deleted with the folder. Returns False if there was none."""
    found = files(folder)
    for file in found:
        file.unlink(missing_ok=True)
    return bool(found)


def _age_and_size(folder: Path) -> tuple[float, int]:
    """When the folder was last written to, and the bytes it counts for. Ignores files that vanish meanwhile."""
    changed, size = 0.0, 0
    for file in files(folder):
        with suppress(FileNotFoundError):
            found = file.stat()
            changed = max(changed, found.st_mtime)
            size += found.st_size * (2 if file.suffix == ".pcm" else 1)
    return changed, size
