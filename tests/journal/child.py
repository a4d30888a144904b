"""A process of its own with a journal, to be killed at a step, or to race against another: `python -m tests.journal.child URL WHAT`.

It says on its output what it came to, a line each, and goes on when it reads a line.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.errors import EarshotError
from services.domain.limits import Limits
from services.journal import Journal, journal
from services.journal.tables import dials, settlements
from services.journal.writing.writes import Fact, Kind
from tests.journal.conftest import an_order
from tests.journal.tables.test_dials import a_call, an_order_of

TAG = "the-order"
KEYS = 40


async def stop_at(url: str, step: str) -> None:
    """Dials with a key, as the desk does, and stops for good at `step`."""
    if step == "before the write":
        journal._BEGIN = _uncommitted(dials.begin)
    if step == "before our answer is written":
        journal._SETTLE = Fact(turn=0, run=_uncommitted(settlements.settle).run, about=lambda settlement: settlement.tag)
    book = await Journal.open(url)
    order = an_order_of(TAG)
    await book.begin(order, client="shop", key="key", fingerprint="body")
    if step == "after the write":
        await _stop_between()
    call = a_call(order)
    if step == "after Vapi's answer":
        await _stop_between()
    await book.settle(order.tag, call=call, state="placed")
    await _stop_between()


def _uncommitted(run: Callable[[sa.Connection, Sequence[Any]], Any]) -> Kind[Any, Any]:
    """Everything is written, but for the commit."""

    def run_and_stop(connection: sa.Connection, wanted: Sequence[Any]) -> Any:
        run(connection, wanted)
        _stop()

    return Kind(turn=0, run=run_and_stop)


async def _stop_between() -> None:
    say("stopped")
    await asyncio.Event().wait()


def _stop() -> None:
    say("stopped")
    threading.Event().wait()


RACES: dict[str, list[tuple[str | None, Limits | None]]] = {
    "each key twice": [(f"key-{number // 2}", None) for number in range(2 * KEYS)],
    "more than the limit": [(None, Limits(per_hour=10))] * KEYS,
    "one number": [(None, Limits(duplicate_window=timedelta(seconds=30)))] * KEYS,
}


async def race(url: str, what: str) -> None:
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    book = await Journal.open(url)
    await asyncio.gather(*(_begin(book, key, limits) for key, limits in RACES[what]))
    await book.aclose()


async def _begin(book: Journal, key: str | None, limits: Limits | None) -> None:
    try:
        await book.begin(an_order(), client="shop", key=key, fingerprint="body", limits=limits)
        say(f"dial {key}")
    except EarshotError as error:
        say(error.code)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run((race if sys.argv[2] in RACES else stop_at)(*sys.argv[1:]))
