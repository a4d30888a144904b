"""The Chromium that browser tests run in: the one on PATH, else the one that Playwright has installed."""

import os
import shutil
import subprocess
import sys
from functools import cache

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

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
def headless_path() -> str:
    """Path of the headless shell, a Chromium without the parts that show its window, else of a Chromium: tests take three quarters
    of the processor time in it. Raises RuntimeError where there is neither."""
    return find_headless_shell() or chromium_path()


@cache
def chromium_path() -> str:
    """Path of a Chromium. Raises RuntimeError where there is none."""
    found = find_chromium()
    if found is None:
        raise RuntimeError("There is no Chromium on this machine: `python -m tests.needs test` installs one or says how.")
    return found


def find_chromium() -> str | None:
    """Path of a Chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None) or _playwrights()


def find_headless_shell() -> str | None:
    """Path of a headless shell, or None."""
    return shutil.which("chromium-headless-shell")


def _playwrights() -> str | None:
    # In a process of its own, since Playwright's blocking interface can't be used where an event loop runs.
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False, timeout=60)
    path = answer.stdout.strip()
    return path if answer.returncode == 0 and os.path.exists(path) else None
