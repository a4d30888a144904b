"""Memory of freed objects goes back to the system although some objects between them stay."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import ctypes, gc, sys
from services.support.system_allocator import use_system_allocator

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

old = [str(n) for n in range(100_000)]  # of Python's own allocator; freed and grown while the other one is used
if len(sys.argv) > 1:
    assert use_system_allocator(True)
old = old[::7]
old += ["new"] * 100_000
before = resident_mb()
made = [{n: [str(n), float(n)]} for n in range(400_000)]
full = resident_mb()
made = made[::2_000]
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
assert [entry[n][0] for n, entry in zip(range(0, 400_000, 2_000), made)] == [str(n) for n in range(0, 400_000, 2_000)]
print(full - before, resident_mb() - before)
use_system_allocator(False)
made = [str(n) for n in range(100_000)] + made
assert sys.getsizeof(made) > 0 and made[99_999] == "99999" and old[1] == "7"
"""

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")]


def _grown_and_left(*arguments: str) -> tuple[float, float]:
    grown, left = subprocess.check_output([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, text=True).split()
    return float(grown), float(left)


def test_memory_goes_back_although_one_object_in_two_thousand_stays() -> None:
    grown, left = _grown_and_left("system")
    assert left < grown / 4


def test_pythons_own_allocator_would_keep_it() -> None:
    grown, left = _grown_and_left()
    assert left > grown / 2, "without the system's allocator this is the same: it can go"
