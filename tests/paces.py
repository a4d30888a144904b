"""What Earshot and the demo line do at intervals, they do more often in the tests' own process: else a run is mostly waiting.

How often is nothing that these tests are about. Limits after which something is given up stay as they are.
"""

import sys

PACES_S = {
    "services.desk.calls.watcher": {"SOON": 0.1, "CALM": 0.2, "_NEVER_FASTER": 0.02},
    "services.desk.ending.cancel": {"_PAUSE": 0.05, "_FIRST_PAUSE": 0.01},
    "services.desk.ending.late_hang_ups": {"_SOON": 0.02},
    "services.recording.recorders": {"_FLUSH_S": 0.02},
    "services.demo_line.call": {"_QUEUE_SECONDS": 0.05},
}
"""Seconds, by module and constant."""


def quicken() -> None:
    """From now on, for good, in the modules that the tests of this run have imported."""
    for name, constants in PACES_S.items():
        if name in sys.modules:
            module = vars(sys.modules[name])
            for constant, seconds in constants.items():
                if module[constant] < seconds:
                    raise ValueError(f"{name}.{constant} is shorter than in the tests")
                module[constant] = seconds
