"""A small disk of the tests' own, which can be filled."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNAVAILABLE = "a disk that can be filled is a tmpfs, and only root may mount one"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """A folder on a tmpfs of that size, gone afterwards. None if none can be mounted here."""
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            # Lazily: a process that was killed may hold a file for another moment.
            subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Another file takes all that is left of the disk."""
    other = disk / "other"
    try:
        with other.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        yield
    finally:
        other.unlink(missing_ok=True)
