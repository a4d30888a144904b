"""The conversations of calls that were placed here are measured though nobody listens, and their figures last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.judging.measuring import Measuring
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.journal.measures import MeasuresJournal
from services.listening.relay import Relay
from tests.desk.test_desk import place
from tests.desks import desk_at
from tests.measures.test_measures import FORM, demo_call, measured
from tests.patience import HANG_S
from tests.stand_in import StandIn

PCM = demo_call()[0]


@asynccontextmanager
async def measuring_at(desk: CallDesk) -> AsyncIterator[Relay]:
    """As main.py has it, without a thread for sound."""
    relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look)
    desk.changed.subscribe(relay.on_call)
    measuring = Measuring(relay, journal=desk.journal.measures, measurements=desk.measurements, find=desk.get)
    for call in desk.calls():
        measuring.on_call(call)
    desk.changed.subscribe(measuring.on_call)
    try:
        yield relay
    finally:
        await measuring.aclose()
        await relay.aclose()


async def speak(vapi: StandIn, call_id: str, pcm: bytes) -> None:
    await vapi.tell(call_id)
    for at in range(0, len(pcm), 6400):
        for socket in vapi.listeners[call_id]:
            await socket.send_bytes(pcm[at : at + 6400])


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(HANG_S):
        while not true():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


def heard_s(desk: CallDesk, call: Call) -> float:
    """How much of a call's sound is known to be measured: that is published each second."""
    figures = desk.measurements.live(call.id)
    return figures.figures.conversation.until if figures else 0.0


async def end(desk: CallDesk, call: Call) -> None:
    await desk.end(call.id, LOCAL)
    await until(lambda: not desk.measurements._saved_until)
    await desk.measurements.settled()


@pytest.mark.slow
async def test_a_call_is_measured_though_nobody_listens_and_its_figures_last(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk, measuring_at(desk) as relay:
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await speak(vapi, call.id, PCM)
        await until(lambda: heard_s(desk, call) > 40)
        assert relay.upstreams == 1
        await end(desk, call)
        figures = await desk.measurements.of(call.id)
        assert figures
        assert figures.figures == measured(PCM)
        await until(lambda: relay.upstreams == 0)
    async with desk_at(vapi.url, tmp_path) as again:
        assert await again.measurements.of(call.id) == figures
        await again.measurements.load([call.id])
        assert again.measurements.brief(call.id) == figures.brief()


async def test_who_speaks_now_is_known_of_a_running_call(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk, measuring_at(desk):
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        news: list[str] = []
        desk.measurements.changed.subscribe(news.append)
        await speak(vapi, call.id, PCM[: 4 * FORM.bytes_per_second])
        await until(lambda: heard_s(desk, call) > 2.7)
        now = desk.measurements.live(call.id)
        assert now
        assert (now.figures.speaking, now.figures.silent_s) == (frozenset({"assistant"}), 0.0)
        assert set(news) == {call.id}


@pytest.mark.slow
async def test_a_restart_continues_the_same_conversation(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk, measuring_at(desk):
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
        await until(lambda: heard_s(desk, call) > 8.7)
    before = desk.measurements.live(call.id)
    assert before
    async with desk_at(vapi.url, tmp_path) as again:
        assert await again.measurements.of(call.id) == before, "the last second is saved as the process stops"
        async with measuring_at(again):
            vapi.listeners[call.id].clear()
            await speak(vapi, call.id, PCM[10 * FORM.bytes_per_second : 20 * FORM.bytes_per_second])
            await until(lambda: heard_s(again, call) > 18.7)
            after = again.measurements.live(call.id)
            assert after
            assert after.started_at == before.started_at
            turns = before.figures.conversation.turns
            assert after.figures.conversation.turns[: len(turns)] == turns
            assert len(after.figures.conversation.turns) > len(turns)


@pytest.mark.slow
async def test_of_two_processes_one_measures_a_call_and_the_other_can_read_it(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.judging.measuring._AGAIN_S", 0.5)
    async with desk_at(vapi.url, tmp_path) as other, measuring_at(other):
        async with desk_at(vapi.url, tmp_path) as desk, measuring_at(desk):
            call = await place(desk)
            vapi.move(call.id, "in-progress")
            await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
            await until(lambda: heard_s(desk, call) > 8.7)
            await until(lambda: other.get(call.id))
            await desk.measurements.settled()
            assert vapi.requests["WS listen"] == 1
            there = await other.measurements.of(call.id)
            assert there
            assert there.figures.conversation.until > 4
        await until(lambda: vapi.requests["WS listen"] == 2)  # the first has stopped, and the other continues


@pytest.mark.slow
async def test_another_process_follows_what_is_measured(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk_at(vapi.url, tmp_path) as other, desk_at(vapi.url, tmp_path) as desk, measuring_at(desk):
        news: list[str] = []
        other.measurements.changed.subscribe(news.append)
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
        await until(lambda: heard_s(other, call) > 4)
        assert set(news) == {call.id}
        there = other.measurements.live(call.id)
        assert there
        assert [turn.channel for turn in there.figures.conversation.turns] == [0, 1]
        assert other.measurements.age_s(call.id) == 0, "the next ones are not due yet"
        await speak(vapi, call.id, PCM[10 * FORM.bytes_per_second :])
        await end(desk, call)
        here = desk.measurements.live(call.id)
        await until(lambda: other.measurements.live(call.id) == here)
        other.measurements.erase(call.id)
        other.measurements.follow(call.id, here.dump() if here else "")
        assert other.measurements.live(call.id) is None


@pytest.mark.slow
async def test_another_process_leaves_a_call_to_the_one_that_placed_it(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.judging.measuring._AGAIN_S", HANG_S)
    asked: list[str | None] = []
    take = MeasuresJournal.take

    async def watched(self: MeasuresJournal, call_id: str, *, leave_to_placer_of: str | None = None) -> str | None:
        asked.append(await take(self, call_id, leave_to_placer_of=leave_to_placer_of))
        return asked[-1]

    monkeypatch.setattr(MeasuresJournal, "take", watched)
    async with desk_at(vapi.url, tmp_path) as other, measuring_at(other), desk_at(vapi.url, tmp_path) as desk:
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await until(lambda: asked)
        assert asked == [None]
        async with measuring_at(desk):
            await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
            await until(lambda: heard_s(desk, call) > 8.7)
            assert vapi.requests["WS listen"] == 1


@pytest.mark.slow
async def test_a_call_whose_placer_does_not_measure_is_measured_by_another_process(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.judging.measuring._AGAIN_S", 0.05)
    async with desk_at(vapi.url, tmp_path) as other, measuring_at(other), desk_at(vapi.url, tmp_path) as desk:
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
        await until(lambda: heard_s(other, call) > 8.7)


@pytest.mark.parametrize(
    "change", [{"tag": None}, {"status": CallStatus.SCHEDULED}, {"status": CallStatus.UNKNOWN}, {"status": CallStatus.ENDED}]
)
async def test_other_calls_are_not_measured(vapi: StandIn, tmp_path: Path, change: dict[str, object]) -> None:
    ours = Call(id="one", status=CallStatus.IN_PROGRESS, tag="tag")
    async with desk_at(vapi.url, tmp_path) as desk:
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look)
        measuring = Measuring(relay, journal=desk.journal.measures, measurements=desk.measurements, find=lambda _: ours)
        measuring.on_call(replace(ours, **change))  # type: ignore[arg-type]
        assert len(measuring._tasks) == 0
        measuring.on_call(ours)
        assert len(measuring._tasks) == 1
        await measuring.aclose()
        await relay.aclose()


@pytest.mark.slow
async def test_what_was_measured_goes_with_the_calls_data(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk, measuring_at(desk):
        call = await place(desk)
        vapi.move(call.id, "in-progress")
        await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
        await until(lambda: heard_s(desk, call) > 8.7)
        await end(desk, call)
        assert await desk.measurements.of(call.id)
        measured_before = desk.measurements.live(call.id)
        await desk.erase(call.id, LOCAL)
        desk.measurements.take(call.id, measured_before, True)
        await desk.measurements.settled()
        assert await desk.measurements.of(call.id) is None
        assert await desk.journal.measures.of(call.id) == ""
