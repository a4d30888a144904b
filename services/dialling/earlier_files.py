"""Imports the block list and the stop switch of earlier versions, which were files in the data folder."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from services.dialling.block_list import BlockList, understood
from services.dialling.switch import FILE, Stop, Switch

log = logging.getLogger(__name__)

_BLOCKED, _STOPPED = "blocked.txt", "stopped"


async def import_files(folder: Path, blocked: BlockList, switch: Switch, *, rename: bool) -> None:
    """Adds the rules of `blocked.txt`, and stops dialling if there is a file `stopped`. `rename` marks them as imported.

    An invalid line blocks nothing and is logged. Raises JournalError, OSError.
    """
    if (path := folder / _BLOCKED).exists():
        await blocked.add_all(_rules(path))
        _done(path, rename=rename)
    if (path := folder / _STOPPED).exists():
        stop = _stop(path)
        await switch.stop(stop.by, stop.reason)
        _done(path, rename=rename)


def _rules(path: Path) -> list[str]:
    lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    invalid = [str(number) for number, line in enumerate(lines, 1) if line.partition("#")[0].strip() and not understood(line)]
    if invalid:
        log.warning("%s has invalid lines, which block nothing: %s", path.name, ", ".join(invalid[:20]))
    return [rule for rule in map(understood, lines) if rule]


def _stop(path: Path) -> Stop:
    """The stop in a file. Whatever the file contains, it stops dialling."""
    text = path.read_text("utf-8", errors="replace")
    try:
        found = json.loads(text)
        return Stop(by=str(found["by"]), since=datetime.now(UTC), reason=str(found["reason"]))
    except (ValueError, TypeError, KeyError):
        return Stop(by=FILE, since=datetime.now(UTC), reason=text.strip()[:200])


def _done(path: Path, *, rename: bool) -> None:
    if rename:
        path.replace(path.with_name(f"{path.name}.imported"))
        log.warning("%s was imported into the journal, which counts from now on", path.name)
