"""A process of its own with a journal, to be killed at a step, or to race against another. It says what it came to, a line each."""

import asyncio
import threading
import warnings
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa

from services.domain.errors import EarshotError
from services.domain.limits import Limits
from services.journal import Journal, journal
from services.journal.tables import dials, settlements
from services.journal.writing.writes import Fact, Kind
from tests.journal.orders import a_call, an_order, an_order_of

TAG = "the-order"
KEYS = 40
Say = Callable[[str], None]


async def _stop_at(url: str, step: str, say: Say) -> None:
    """Dials with a key, as the desk does, and stops for good at `step`."""
    if step == "before the write":
        journal._BEGIN = _uncommitted(dials.begin, say)
    if step == "before our answer is written":
        journal._SETTLE = Fact(turn=0, run=_uncommitted(settlements.settle, say).run, about=lambda settlement: settlement.tag)
    book = await Journal.open(url)
    order = an_order_of(TAG)
    await book.begin(order, client="shop", key="key", fingerprint="body")
    if step == "after the write":
        await _stop_between(say)
    call = a_call(order)
    if step == "after Vapi's answer":
        await _stop_between(say)
    await book.settle(order.tag, call=call, state="placed")
    await _stop_between(say)


def _uncommitted(run: Callable[[sa.Connection, Sequence[Any]], Any], say: Say) -> Kind[Any, Any]:
    """Everything is written, but for the commit."""

    def run_and_stop(connection: sa.Connection, wanted: Sequence[Any]) -> Any:
        run(connection, wanted)
        say("stopped")
        threading.Event().wait()

    return Kind(turn=0, run=run_and_stop)


async def _stop_between(say: Say) -> None:
    say("stopped")
    await asyncio.Event().wait()


RACES: dict[str, list[tuple[str | None, Limits | None]]] = {
    "each key twice": [(f"key-{number // 2}", None) for number in range(2 * KEYS)],
    "more than the limit": [(None, Limits(per_hour=10))] * KEYS,
    "one number": [(None, Limits(duplicate_window=timedelta(seconds=30)))] * KEYS,
}


async def _race(url: str, what: str, say: Say) -> None:
    book = await Journal.open(url)
    await asyncio.gather(*(_begin(book, key, limits, say) for key, limits in RACES[what]))
    await book.aclose()


async def _begin(book: Journal, key: str | None, limits: Limits | None, say: Say) -> None:
    try:
        await book.begin(an_order(), client="shop", key=key, fingerprint="body", limits=limits)
        say(f"dial {key}")
    except EarshotError as error:
        say(error.code)


def run(url: str, what: str, connection: Connection) -> None:
    """Stops at the step `what`, or says that it is ready and races once it is told to."""
    warnings.simplefilter("error")
    if what not in RACES:
        asyncio.run(_stop_at(url, what, connection.send))
    connection.send("ready")
    connection.recv()
    asyncio.run(_race(url, what, connection.send))
