"""Chaos for minutes: `python -m benchmarks.chaos [--minutes 5] [--seed 1] [--on sqlite,postgresql]`.

Clients ask for 60 calls a minute, each with an idempotency key and three times at once, while processes are killed and the database is
stopped, locked, demoted or full. Prints what was counted; exits with 1 if a promise was broken. `tests.whole.test_chaos` is the short run.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.whole.chaos.databases import database_of
from tests.whole.chaos.disk import UNAVAILABLE
from tests.whole.chaos.run import Report, run


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--on", default="sqlite,postgresql")
    options.add_argument("--log", type=Path, help="where to write what the apps logged")
    chosen = options.parse_args()
    wrong = False
    for engine in chosen.on.split(","):
        report = on(engine, minutes=chosen.minutes, seed=chosen.seed)
        print(f"chaos on {engine}, seed {chosen.seed}: {report}", flush=True)
        if chosen.log:
            chosen.log.with_suffix(f".{engine}").write_text(report.output)
        wrong = wrong or bool(report.wrong)
    return int(wrong)


def on(engine: str, *, minutes: float, seed: int) -> Report:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with database_of(engine, folder) as database:
            if database.disk is None:
                print(f"chaos: no full disk, since {UNAVAILABLE}")
            return asyncio.run(run(folder, database, seconds=60 * minutes, seed=seed))


if __name__ == "__main__":
    sys.exit(main())
