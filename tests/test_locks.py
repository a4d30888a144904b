"""The lock files have exactly what the requirements need, and a hash for each package."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAIRS = {
    "requirements": ["requirements"],
    "requirements-otel": ["requirements", "requirements-otel"],
    "requirements-dev": ["requirements-dev"],
}
"""Each lock file, and the requirements that it was made from."""
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
LOCKED = re.compile(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)[^\n]*\n((?:    .*\n)+)", re.MULTILINE)
OUTDATED = "the lock file is out of date: run `make lock`"


def required(name: str) -> dict[str, str]:
    """Package -> version that the requirements file pins, with those of the files it includes."""
    text = (ROOT / f"{name}.txt").read_text()
    found = {re.sub(r"[._-]+", "-", package).lower(): version for package, version in PINNED.findall(text)}
    for included in re.findall(r"^-r (\S+)\.txt$", text, re.MULTILINE):
        found |= required(included)
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_the_lock_has_what_is_required_and_nothing_else(name: str) -> None:
    wanted = {package: version for part in PAIRS[name] for package, version in required(part).items()}
    locked = {package: (version, note) for package, version, note in LOCKED.findall((ROOT / f"{name}.lock").read_text())}
    assert {package: version for package, (version, note) in locked.items() if "# via" in note and "-r require" in note} == wanted, OUTDATED
    for package, (_, note) in locked.items():
        assert "--hash=sha256:" in note, package
        parents = [line.removeprefix("via").strip() for line in re.findall(r"# +(.+)$", note, re.MULTILINE)]
        for parent in parents:
            assert not parent or parent.startswith(("-r ", "-c ")) or parent in locked, f"{package} was locked for {parent}: {OUTDATED}"


def test_the_locks_agree() -> None:
    runs, traces, develops = (
        {package: version for package, version, _ in LOCKED.findall((ROOT / f"{name}.lock").read_text())} for name in PAIRS
    )
    assert runs.items() <= traces.items() <= develops.items()
