"""A demo line on which a call lasts for minutes. The usual one hangs up after 54 seconds, which a test of many states of one call may not
reach on a busy machine.

Imported by the process that forks apps, which has no need of what the functions import.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMES = 4
_VARIABLE = "FORKED_CALL"


def environ(folder: Path) -> dict[str, str]:
    """Has a forked app play the usual conversation four times in a row, from a file in `folder`. It is no setting of the app: a new Python
    knows nothing of it.
    """
    import numpy as np
    import soundfile

    from services.demo_line.server import DEMO_CALL

    longer = folder / "long_call.flac"
    heard, rate = soundfile.read(DEMO_CALL, dtype="int16", always_2d=True)
    soundfile.write(longer, np.tile(heard, (TIMES, 1)), rate)
    notes = json.loads(DEMO_CALL.with_suffix(".json").read_text(encoding="utf-8"))
    starts = [number * len(heard) / rate for number in range(TIMES)]
    for key in ("turns", "events"):
        notes[key] = [_later(entry, start) for start in starts for entry in notes[key]]
    longer.with_suffix(".json").write_text(json.dumps(notes), encoding="utf-8")
    return {_VARIABLE: str(longer)}


def _later(entry: dict[str, Any], seconds: float) -> dict[str, Any]:
    return entry | {key: seconds + entry[key] for key in ("at", "start", "end") if key in entry}


def play_forked(environ: Mapping[str, str]) -> None:
    if found := environ.get(_VARIABLE):
        from services.demo_line import DemoLine

        defaults: Any = DemoLine.__init__.__kwdefaults__
        defaults["conversation"] = Path(found)
