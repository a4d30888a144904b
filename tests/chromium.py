"""The Chromium that browser tests run in: the one on PATH, else one that is installed here and now."""

import os
import shutil
import subprocess
import sys
from functools import cache

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PATIENCE = 900  # seconds for a download

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-audio-output",  # the audio clock then keeps exact time without a sound card
]


@cache
def chromium_path() -> str:
    """Path of a Chromium. Installs one where none is found; raises RuntimeError, saying what was tried, where that fails too."""
    found = _on_path() or _from_debian() or _from_playwright()
    if found is None:
        raise RuntimeError(
            "Browser tests need Chromium: none is on PATH, and neither `apt-get install chromium` (as root) "
            "nor `python -m playwright install chromium` worked here."
        )
    return found


def _on_path() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _from_debian() -> str | None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None
    if _run("apt-get", "update") and _run("apt-get", "install", "-y", "--no-install-recommends", "chromium"):
        return _on_path()
    return None


def _from_playwright() -> str | None:
    if not _run(sys.executable, "-m", "playwright", "install", "chromium"):
        return None
    # In a process of its own, since Playwright's blocking interface can't be used where an event loop runs.
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False, timeout=60)
    path = answer.stdout.strip()
    return path if answer.returncode == 0 and os.path.exists(path) else None


def _run(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, check=False, timeout=_PATIENCE, env=environment, stdout=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
