"""Throws odd bodies at every door that Vapi's text comes through; what REST and the page make of them must be possible to send.

python -m benchmarks.fuzz_bodies --bodies 100000 --seed 1

The bodies are samples with values of other types, halves of emoji, NUL, bidi controls and megabytes of text: tests/vapi/odd_bodies.py.
"""

import argparse
import asyncio
import json
import logging
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.desks import desk_in
from tests.vapi.odd_bodies import mutated
from tests.web.doors import BODIES, Doors


async def run(bodies: int, seed: int) -> None:
    """Raises what a route or the page would have raised, with the body that did it."""
    chance, started = random.Random(seed), time.monotonic()  # noqa: S311
    with TemporaryDirectory() as folder:
        async with desk_in(Path(folder), None) as desk:
            doors = Doors(desk)
            for done in range(1, bodies + 1):
                door = chance.choice(list(BODIES))
                text = json.dumps(mutated(chance.choice(BODIES[door]), chance))
                try:
                    doors.all[door](text)
                except Exception:
                    print(f"{door}: {text[:2000]}", flush=True)
                    raise
                if done % 10_000 == 0:
                    print(f"{done:,} bodies in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{bodies:,} bodies, seed {seed}: no exception")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    known = parser.parse_args()
    logging.disable(logging.WARNING)
    asyncio.run(run(known.bodies, known.seed))
