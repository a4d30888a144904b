"""A folder that belongs to one process, and goes with it: what a killed process left is deleted by the next one. Blocking."""

import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from services.recording.writer import make_private


@dataclass(frozen=True, slots=True)
class ClaimedFolder:
    """A folder of this process. The system releases its lock if the process is killed."""

    path: Path
    lock: FileLock

    def remove(self) -> None:
        """Deletes the folder with all that is in it."""
        self.lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def claim_folder(folder: Path) -> ClaimedFolder:
    """A new folder in `folder`, after those that no process holds were deleted."""
    make_private(folder)
    for other in folder.iterdir():
        with suppress(Timeout, OSError), _lock(other).acquire(blocking=False):
            shutil.rmtree(other, ignore_errors=True)
    path = folder / secrets.token_hex(8)
    path.mkdir(0o700)
    lock = _lock(path)
    lock.acquire()
    return ClaimedFolder(path, lock)


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / ".lock", mode=0o600, thread_local=False)
