"""The insights at 100,000 calls, of four weeks and of the whole time, on SQLite and, with `DATABASE_URL`, on PostgreSQL."""

import asyncio
import os
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.desk.insights import read_insights
from services.domain.call import Call, CallStatus
from services.domain.insights import Period
from services.journal import Journal
from services.journal.records import Counted

CALLS = 100_000
TRIES = 15
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 365
REASONS = ("customer-ended-call", "customer-busy", "voicemail", "assistant-ended-call", "customer-did-not-answer", "silence-timed-out")


async def fill(journal: Journal) -> None:
    """Calls of a year, of ten assistants from five caller IDs, each as long as a call with a summary, those that were answered measured."""
    chance = random.Random(7)  # noqa: S311
    for first in range(0, CALLS, 2000):
        some = [one(number, chance) for number in range(first, min(first + 2000, CALLS))]
        await asyncio.gather(*(journal.save(call) for call in some))
        measured = [
            (call.id, Counted(response_ms=chance.randrange(400, 3000), interrupted=chance.randrange(3))) for call in some if call.answered
        ]
        await asyncio.gather(*(journal.measures.save(id_, "{}", brief="{}", counted=counted, over=True) for id_, counted in measured))


def one(number: int, chance: random.Random) -> Call:
    at = START + number * timedelta(days=DAYS) / CALLS
    reason = chance.choice(REASONS)
    answered = reason not in ("customer-busy", "customer-did-not-answer")
    return Call(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        status=CallStatus.ENDED,
        to=f"+1415{2_000_000 + number:07d}",
        assistant_id=f"{chance.randrange(10):08x}-0000-4000-8000-000000000001",
        phone_number_id=f"{chance.randrange(5):08x}-0000-4000-8000-000000000002",
        created_at=at,
        started_at=at if answered else None,
        ended_at=at + timedelta(seconds=72),
        ended_reason=reason,
        cost=0.07 if answered else 0.0,
        summary="They agreed on Thursday at a quarter past two, and the customer wants a message before. " * 3,
    )


async def measure(at: str | Path) -> str:
    journal = await Journal.open(at)
    try:
        await fill(journal)
        took = {}
        for name, days in (("28 days", 28), ("365 days", DAYS)):
            last = (START + timedelta(days=DAYS - 1)).date()
            period = Period(first=last - timedelta(days=days - 1), last=last, zone=UTC)
            times = []
            for _ in range(TRIES):
                began = time.perf_counter()
                found = await read_insights(journal, period)
                times.append(1000 * (time.perf_counter() - began))
            took[name] = f"{name} with {found.total.calls:,} calls {statistics.median(times):.0f} ms (worst {max(times):.0f})"
        return ", ".join(took.values())
    finally:
        await journal.aclose()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("insights, SQLite:", asyncio.run(measure(Path(folder) / "journal.sqlite")))
    if url := os.environ.get("DATABASE_URL"):
        print("insights, PostgreSQL:", asyncio.run(measure(url)))


if __name__ == "__main__":
    main()
