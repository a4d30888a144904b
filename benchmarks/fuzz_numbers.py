"""Throws strings at the rules for what may be reached by telephone; nothing that passes may be, or begin with, a refused number.

python -m benchmarks.fuzz_numbers --strings 1000000 --seed 1      random strings, made from refused and ordinary numbers
python -m benchmarks.fuzz_numbers --atheris -max_total_time=300   guided by coverage; needs benchmarks/requirements-fuzz.txt

The judge is tests/dialling/oracle.py, which uses libphonenumber and none of Earshot's own rules.
"""

import argparse
import random
import sys
import time
from collections import Counter

from tests.dialling.fuzzer import judge, made


def run(strings: int, seed: int) -> None:
    chance, count, started = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311
    for done in range(1, strings + 1):
        judge(made(chance), count, all_ways=done % 8 == 0)
        if done % 100_000 == 0:
            print(f"{done:,} strings in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{strings:,} strings, seed {seed}: no refused number passed. Passed: {dict(count)}", flush=True)


def run_guided(arguments: list[str]) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    atheris.instrument_all()
    count = Counter[str]()

    def one(data: bytes) -> None:
        judge(data.decode("utf-8", "ignore"), count)

    atheris.Setup([sys.argv[0], "-only_ascii=0", "-max_len=80", *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--strings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    known, rest = parser.parse_known_args()
    run_guided(rest) if known.atheris else run(known.strings, known.seed)
