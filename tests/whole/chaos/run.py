"""A run of chaos: clients, processes that are killed, a database that fails, a restless Vapi; and what must be so at the end."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from services.support.tasks import Tasks
from tests.process import vapi_environ
from tests.stand_in import stand_in
from tests.whole.chaos.clients import Clients, Heard
from tests.whole.chaos.databases import Database
from tests.whole.chaos.end import abandoned, check_answers, check_calls, check_dials, check_slots
from tests.whole.chaos.supervised import Supervised
from tests.whole.chaos.vapi import RestlessVapi

KEYS_PER_MINUTE = 60
CLIENTS_PER_KEY = 3
SLOTS = 40
LIMITS = {
    "EARSHOT_ALLOWED_REGIONS": "*",
    "EARSHOT_CALLS_PER_HOUR": "100000",
    "EARSHOT_CALLS_PER_DAY": "100000",
    "EARSHOT_CONCURRENT_CALLS": str(SLOTS),
}
_WHOLE_AGAIN_S = 90.0  # within which everything must be right after the last fault


@dataclass(slots=True, kw_only=True)
class Report:
    """`wrong` has a sentence for each broken promise."""

    heard: Heard
    seconds: float
    faults: Counter[str] = field(default_factory=Counter)
    dials: int = 0
    calls: int = 0
    never_placed: int = 0
    """Dials of unknown outcome without a call. They hold their slots until it would be over, or an owner frees them."""
    healthy_after_s: float = 0.0
    whole_after_s: float = 0.0
    wrong: list[str] = field(default_factory=list)
    output: str = ""

    def __str__(self) -> str:
        counted = ", ".join(f"{count} x {fault}" for fault, count in sorted(self.faults.items()))
        answered = ", ".join(f"{count} x {status}" for status, count in sorted(self.heard.statuses.items()))
        return (
            f"{self.seconds:.0f} s with {counted}\n"
            f"answers: {answered}; the slowest after {self.heard.slowest_s:.1f} s\n"
            f"{self.dials} dials made {self.calls} calls; {self.never_placed} dials without a call stayed unknown\n"
            f"healthy {self.healthy_after_s:.1f} s after the last fault; calls, costs and slots right {self.whole_after_s:.1f} s later\n"
            + ("nothing wrong" if not self.wrong else "WRONG:\n" + "\n".join(self.wrong))
        )


async def run(folder: Path, database: Database, *, seconds: float, seed: int, haste: float = 1.0) -> Report:
    """Breaks things at random for so many seconds, then lets everything become whole again, and judges. Pauses and faults are as many times
    shorter as `haste` says.
    """
    chance = random.Random(seed)  # noqa: S311
    vapi = RestlessVapi(random.Random(seed + 1))  # noqa: S311
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stand_in(vapi))
        # A connection each: one that is kept may be closed by the app, idle, at the moment when a client uses it again.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        environ = vapi_environ(vapi.url) | LIMITS
        apps = [Supervised(folder, {**environ, **own}, session) for own in database.environs]
        clients = Clients(apps, session, random.Random(seed + 2), haste)  # noqa: S311
        report = Report(heard=clients.heard, seconds=seconds)
        tasks = Tasks()
        stack.push_async_callback(tasks.aclose)
        for app in apps:
            tasks.start(app.run(), name="app")
        await _until(lambda: _all_serve(apps), report, "the apps never served")
        tasks.start(vapi.live(), name="vapi")
        keys = [f"key-{number}" for number in range(round(KEYS_PER_MINUTE * seconds / 60))]
        wanted = [
            tasks.start(clients.want(key, place * seconds / len(keys)), name=key)
            for place, key in enumerate(keys)
            for _ in range(CLIENTS_PER_KEY)
        ]
        await asyncio.gather(_kill(apps, chance, seconds, haste, report), _break(database, chance, seconds, haste, report))
        report.healthy_after_s = await _until(lambda: _healthy(apps, session), report, "not healthy")
        _, open_ = await asyncio.wait(wanted, timeout=_WHOLE_AGAIN_S)
        report.wrong += [f"{task.get_name()} was never answered" for task in open_]
        report.wrong += [f"{task.get_name()}: {task.exception()!r}" for task in wanted if task.done() and task.exception()]
        report.whole_after_s = await _until(lambda: _whole(vapi, database), report, "calls, costs or slots are missing")
        report.wrong += check_dials(vapi, clients.heard) + await check_calls(vapi, database.url)
        report.wrong += await check_answers(clients, apps)
        report.dials, report.calls = vapi.dials, len(vapi.calls)
        report.never_placed = len(await abandoned(vapi, database.url))
        vapi.calm = True
        report.wrong += await check_slots(vapi, database.url, clients, apps, SLOTS)
        report.wrong += clients.heard.wrong
        await tasks.aclose()
        for app in apps:
            report.wrong += [f"an app ended by itself: {output[-2000:]}" for output in app.ends]
            report.output += "\n".join(app.outputs)
        if "Traceback" in report.output:
            report.wrong.append(f"a traceback in the log: {report.output.partition('Traceback')[2][:3000]}")
    return report


async def _kill(apps: list[Supervised], chance: random.Random, seconds: float, haste: float, report: Report) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() + (pause := chance.uniform(4.0, 14.0) / haste) < end:
        await asyncio.sleep(pause)
        app = chance.choice(apps)
        report.faults["kill -9"] += app.life is not None
        app.kill()


async def _break(database: Database, chance: random.Random, seconds: float, haste: float, report: Report) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    names = sorted(database.faults)
    turn: list[str] = []
    # A short run goes on until it has had each fault, however long the database takes to stop and start.
    while clock() + (pause := chance.uniform(1.0, 5.0) / haste) < end or not report.faults.keys() >= database.faults.keys():
        await asyncio.sleep(pause)
        turn = turn or chance.sample(names, len(names))  # each in turn: a short run has them all
        name = turn.pop()
        async with database.faults[name]():
            report.faults[name] += 1
            await asyncio.sleep(min(chance.uniform(1.0, 12.0) / haste, max(1.0, end - clock())))


async def _until(true: Callable[[], Awaitable[str | None]], report: Report, wrong: str) -> float:
    """Seconds until `true` finds nothing missing any more; notes what was still missing at the end."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while missing := await true():
        if clock() - began > _WHOLE_AGAIN_S:
            report.wrong.append(f"{wrong} after {_WHOLE_AGAIN_S:.0f} s: {missing}")
            break
        await asyncio.sleep(0.5)
    return clock() - began


async def _all_serve(apps: list[Supervised]) -> str | None:
    return None if all(app.life for app in apps) else "an app does not serve"


async def _healthy(apps: list[Supervised], session: aiohttp.ClientSession) -> str | None:
    for app in apps:
        try:
            async with session.get(app.url + "/health") as answer:
                if answer.status != 200:
                    return await answer.text()
        except aiohttp.ClientError as error:
            return repr(error)
    return None


async def _whole(vapi: RestlessVapi, database: Database) -> str | None:
    if not vapi.at_rest:
        return "calls are running"
    if missing := await check_calls(vapi, database.url):
        return "; ".join(missing)
    return None
