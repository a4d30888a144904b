"""Locks on a call's folder, which several processes may use. The system releases them if a process is killed.

`.lock` is held for moments, to add or remove files. `.1.lock` is held while part 1 is written, `.1.finish` while it is encoded: a process
may begin part 2 while another still encodes part 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PATIENCE_S = 10.0  # `.lock` is held for milliseconds; a disk may take seconds to write what is done under it


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a call's folder, and deletes it afterwards if it is empty. Raises FileNotFoundError, and OSError if it stays locked."""
    lock = FileLock(folder / ".lock", mode=0o600, thread_local=False)
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout as error:
        raise OSError(f"{folder.name} stays locked") from error
    try:
        yield
    finally:
        if not files(folder):
            with suppress(OSError):
                for left in folder.iterdir():
                    left.unlink(missing_ok=True)
                folder.rmdir()
        lock.release()


def part_lock(part: Path) -> FileLock:
    """The lock of a part that is written. `part` is any of its files, or its path without a suffix."""
    return _lock(part.with_name(f".{part.stem}.lock"))


def finish_lock(part: Path) -> FileLock:
    """The lock of a part that is encoded."""
    return _lock(part.with_name(f".{part.stem}.finish"))


def remove_locks(part: Path) -> None:
    """Deletes the locks of a part that needs none any more. The caller holds `finish_lock`, which Windows does not delete then."""
    for lock in (part_lock(part), finish_lock(part)):
        with suppress(PermissionError):
            Path(lock.lock_file).unlink(missing_ok=True)


def being_written(folder: Path) -> bool:
    """True if some process writes a part of this recording."""
    return any(_taken(part_lock(raw)) for raw in folder.glob("*.pcm"))


@contextmanager
def idle(folder: Path) -> Iterator[bool]:
    """Holds a call's folder. False if one of its parts is being written or encoded."""
    with held(folder):
        yield not any(_taken(lock(raw)) for raw in folder.glob("*.pcm") for lock in (part_lock, finish_lock))


def _lock(path: Path) -> FileLock:
    return FileLock(path, mode=0o600, thread_local=False, blocking=False)


def _taken(lock: FileLock) -> bool:
    try:
        with lock:
            return False
    except Timeout:
        return True


def files(folder: Path) -> list[Path]:
    """The files of a call's folder but locks and drafts."""
    try:
        return [file for file in folder.iterdir() if not file.name.startswith(".")]
    except FileNotFoundError:
        return []
