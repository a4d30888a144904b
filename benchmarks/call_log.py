"""The call log at 100,000 calls: first and last page, filters and searches, against the first page at 1,000 calls.

    python -m benchmarks.call_log [--postgresql]

On SQLite, or on a PostgreSQL server of its own.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.domain.call import Call, CallStatus
from services.domain.transcript import Line
from services.journal import Journal
from tests.journal.postgres import cluster, programs

CALLS = 100_000
FEW = 1_000
TRIES = 15
START = datetime(2026, 1, 1, tzinfo=UTC)
REASONS = ("customer-ended-call", "customer-busy", "voicemail", "assistant-ended-call", "customer-did-not-answer")
WORDS = "appointment doctor thursday please morning office moment number address thank you goodbye would could perfect".split()  # noqa: SIM905


async def fill(journal: Journal, count: int) -> None:
    """`count` ended calls, a minute apart, each with a summary and ten lines."""
    chance = random.Random(7)  # noqa: S311
    for first in range(0, count, 2000):
        await asyncio.gather(*(one(journal, number, chance) for number in range(first, min(first + 2000, count))))
        while journal.waiting:  # noqa: ASYNC110 - `save` waits 2 s for the disk and closing 5 s: a slow disk would leave the rest out
            await asyncio.sleep(0.05)


async def one(journal: Journal, number: int, chance: random.Random) -> None:
    at = START + timedelta(minutes=number)
    call = Call(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        status=CallStatus.ENDED,
        to=f"+1415{2_000_000 + number:07d}",
        name=f"Lead {number}",
        created_at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=72),
        ended_reason=chance.choice(REASONS) if number % 10_000 else "call-deleted",
        cost=0.07,
        summary=" ".join(chance.choices(WORDS, k=25)),
    )
    lines = [
        Line(key=key, speaker="customer" if key % 2 else "assistant", text=" ".join(chance.choices(WORDS, k=12)), at=at, final=True)
        for key in range(10)
    ]
    if number == 12:
        lines.append(Line(key=11, speaker="customer", text="A needle in just a haystack", at=at, final=True))
    await journal.save(call)
    await journal.save_transcript(call.id, lines)


async def median_ms(query: Callable[[], Awaitable[list[Call]]], found: int) -> float:
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        assert len(await query()) == found
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


@contextmanager
def journals(postgresql: bool) -> Iterator[tuple[str, str]]:
    """The URLs of two empty journals."""
    if not postgresql:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'few.sqlite'}", f"sqlite:///{Path(folder) / 'many.sqlite'}"
        return
    found = programs()
    assert found, "PostgreSQL is not installed"
    with cluster(found) as server:
        # Both always exist.
        yield server.url("postgres"), server.url("template1")


async def run(postgresql: bool) -> None:
    with journals(postgresql) as (url_of_few, url_of_many):
        few = await Journal.open(url_of_few)
        await fill(few, FEW)
        base = await median_ms(few.calls, 50)
        await few.aclose()
        print(f"call_log: first page at {FEW:,} calls (the baseline): {base:.1f} ms")
        journal = await Journal.open(url_of_many)
        await fill(journal, CALLS)
        last = START + timedelta(minutes=50), "00000032"
        queries: dict[str, tuple[Callable[[], Awaitable[list[Call]]], int]] = {
            "first page": (journal.calls, 50),
            "last page": (lambda: journal.calls(before=last), 50),
            "a frequent ended reason": (lambda: journal.calls(ended=lambda reason: reason == "voicemail"), 50),
            "a rare ended reason": (lambda: journal.calls(ended=lambda reason: reason == "call-deleted"), CALLS // 10_000),
            "search, a common word": (lambda: journal.calls(search="Doctor"), 50),
            "search, a number": (lambda: journal.calls(search="+1 415 200-0012"), 1),
            "search, one line in one call": (lambda: journal.calls(search="needle in"), 1),
            "search without a match": (lambda: journal.calls(search="no such words"), 0),
            "search, two letters in one call": (lambda: journal.calls(search="dl"), 1),
            "search, two letters without a match": (lambda: journal.calls(search="zq"), 0),
            "search, two letters in every call": (lambda: journal.calls(search="th"), 50),
            "search, one letter in one call": (lambda: journal.calls(search="j"), 1),
            "search, one letter without a match": (lambda: journal.calls(search="@"), 0),
        }
        for name, (query, found) in queries.items():
            took = await median_ms(query, found)
            print(f"call_log: {name} at {CALLS:,} calls: {took:.1f} ms, {took / base:.1f} x")
        await journal.aclose()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--postgresql", action="store_true")
    asyncio.run(run(options.parse_args().postgresql))


if __name__ == "__main__":
    main()
