"""Writing a small file so that whoever reads it, now or after a crash, finds either the old text or the new one."""

import os
import secrets
from pathlib import Path

Stamp = tuple[int, int, int] | None
"""What changes whenever a file does; None while there is none."""


def write_whole(path: Path, text: str) -> None:
    """Replaces `path` by `text`, readable by its owner alone. Blocks until it is on disk. Raises OSError, and then `path` is as it was."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def stamp(path: Path) -> Stamp:
    """A few microseconds on a disk of this machine, which is less than a thread for it would cost. Raises OSError but for no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
