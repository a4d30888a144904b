"""Fifty running calls on the demo line, in one process as in the app: the cost of watching them, notifying pages and listening."""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from main import desk_of
from services.demo_line import DemoLine
from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import LOCAL
from services.journal import Journal
from services.listening.relay import Relay
from services.settings import read_settings
from services.vapi.gateway import Gateway

CALLS = 50
PAGES = 20
SECONDS = 12.0


async def run() -> None:
    async with DemoLine(lines=CALLS, ring_seconds=1.0) as line:
        folder = Path(tempfile.mkdtemp(prefix="earshot-"))
        settings = replace(
            read_settings({}, dotenv=None), api_key=line.api_key, assistant_id=line.assistant_id, phone_number_id=line.phone_number_id
        )
        gateway = Gateway(api_key=line.api_key, base_url=line.base_url)
        journal = await Journal.open(f"sqlite:///{folder / 'journal.sqlite'}")
        desk = desk_of(settings, gateway, journal, demo=True)
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
        desk.changed.subscribe(relay.on_call)
        await desk.start()
        began = time.process_time()
        calls = await place(desk, range(CALLS))
        while not all(found.answered for call in calls if (found := desk.get(call.id))):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        print(f"many_calls: {CALLS} calls placed and answered: {time.process_time() - began:.2f} s of CPU")
        notified: list[int] = []
        for _ in range(PAGES):
            desk.changed.subscribe(lambda _: notified.append(len(desk.calls())))
        line.requests.clear()
        idle = await core(SECONDS)
        print(
            f"many_calls: {CALLS} calls watched, {PAGES} subscribers notified: {idle:.1f} % of a core, "
            f"{len(line.requests) / SECONDS:.1f} requests a second"
        )
        with ExitStack() as listening:
            for call in calls[:PAGES]:
                listening.enter_context(relay.listen(call.id, sound=False, events=False))
            heard = await core(SECONDS)
        print(f"many_calls: events of {PAGES} of them listened to, the demo line's sending included: {heard:.1f} % of a core")
        await relay.aclose()
        await desk.aclose()
        await journal.aclose()
        await gateway.aclose()


async def place(desk: CallDesk, numbers: Iterable[int]) -> list[Call]:
    placed = await asyncio.gather(*(desk.place(desk.order(f"+14155552{number:03d}"), LOCAL) for number in numbers))
    return [one.call for one in placed]


async def core(seconds: float) -> float:
    """CPU use of this process over `seconds`, in percent of a core."""
    began = time.process_time()
    await asyncio.sleep(seconds)
    return 100 * (time.process_time() - began) / seconds


def main() -> None:
    asyncio.run(run())


if __name__ == "__main__":
    main()
