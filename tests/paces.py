"""What Earshot and the demo line do at intervals, they do more often in the tests' own process: else a run is mostly waiting.

How often is nothing that these tests are about. Limits after which something is given up stay as they are.

An app that is forked (`tests.forks`) keeps its own pace, unless its test sets `VARIABLE` to the `environ` of other paces.
"""

import json
import sys
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

Paces = Mapping[str, Mapping[str, Any]]

PACES_S = {
    "services.desk.calls.watcher": {"SOON": 0.1, "CALM": 0.2, "_NEVER_FASTER": 0.02},
    "services.desk.ending.cancel": {"_PAUSE": 0.05, "_FIRST_PAUSE": 0.01},
    "services.desk.ending.late_hang_ups": {"_SOON": 0.02},
    "services.recording.recorders": {"_FLUSH_S": 0.02},
    "services.demo_line.call": {"_QUEUE_SECONDS": 0.05},
}
"""Seconds, by module and constant."""

WEBHOOKS_S: Paces = {
    "services.webhooks_out.deliveries": {"_POLL_S": 0.2},
    "services.webhooks_out.deliveries:Deliveries.__init__": {"pauses_s": (0.5,)},
    "services.webhooks_out.sender:Sender.__init__": {"patience_s": 2.0},
}
"""For apps whose receiver fails on purpose. After the colon: a function whose defaults are meant."""

VARIABLE = "FORKED_PACES"


def environ(paces: Paces) -> dict[str, str]:
    """What a forked app takes these paces from. It is no setting of the app: a new Python knows nothing of it."""
    return {VARIABLE: json.dumps(paces)}


def quicken_forked(environ: Mapping[str, str]) -> None:
    quicken({name: {key: _tuple(value) for key, value in found.items()} for name, found in json.loads(environ.get(VARIABLE, "{}")).items()})


def quicken(paces: Paces = PACES_S) -> None:
    """From now on, for good, in the modules that this process has imported."""
    for name, constants in paces.items():
        module, _, function = name.partition(":")
        if module in sys.modules:
            found = attrgetter(function)(sys.modules[module]).__kwdefaults__ if function else vars(sys.modules[module])
            for constant, seconds in constants.items():
                if found[constant] < seconds:
                    raise ValueError(f"{name}.{constant} is shorter than in the tests")
                found[constant] = seconds


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
