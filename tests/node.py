"""The Node.js that tests run JavaScript in: the one on PATH where it is new enough, else the one in Playwright's wheel."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import playwright

NEWEST_TOO_OLD = 19  # major version


@cache
def node_path() -> str:
    """Path of Node.js 20 or newer. Raises RuntimeError where there is none that runs."""
    for path in (shutil.which("node"), playwrights_node()):
        if path and version_of(path) > NEWEST_TOO_OLD:
            return path
    raise RuntimeError("No Node.js 20 or newer runs here: `python -m tests.needs test` says what is missing.")


def playwrights_node() -> str:
    return str(Path(playwright.__file__).parent / "driver" / "node")


def version_of(path: str | None) -> int:
    """Major version of the Node.js at `path`, or 0 where it does not run."""
    try:
        said = subprocess.run([path or "node", "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    except OSError:
        return 0
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0
