"""Dials that somebody on the page has to confirm: asked once, answered once, by whichever process, and one call at most."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.desk import CallDesk
from services.desk.placing import dial_questions
from services.desk.placing.dial_question import ANSWER_WITHIN, DialQuestion
from services.desk.placing.dial_questions import STATE
from services.domain.call import Call, CallOrder
from services.domain.caps import Caps
from services.domain.client import PAGE, Client, Scope
from services.domain.errors import EarshotError, Forbidden, KeyReused, LimitReached, NobodyToConfirm, QuestionOver
from services.domain.person import Role
from tests.desks import two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"
SCOPES = ["mcp", "call"]


@pytest.fixture
async def desks(vapi: StandIn, tmp_path: Path) -> AsyncIterator[tuple[CallDesk, CallDesk]]:
    """Two processes on one journal, and an assistant with a token."""
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        await one.tokens.make("agent", SCOPES, None, PAGE)
        await other.tokens.load()
        yield one, other


@pytest.fixture
async def asked(desks: tuple[CallDesk, CallDesk]) -> tuple[CallDesk, DialQuestion]:
    """A question that a page of the first process shows."""
    one, _ = desks
    one.questions.watch(lambda: True)
    return one, await ask(one)


def agent(desk: CallDesk) -> Client:
    return replace(desk.tokens.all()[0].client, machine=True)


async def ask(desk: CallDesk, to: str = NUMBER, key: str | None = None, fingerprint: str = "one") -> DialQuestion:
    return await desk.questions.ask(desk.order(to), agent(desk), key=key, fingerprint=fingerprint, allow_duplicate=False)


async def until(done: Callable[[], Any]) -> None:
    async with asyncio.timeout(HANG_S):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def later(desk: CallDesk, time: timedelta) -> None:
    now = datetime.now(UTC) + time
    desk.questions._now = lambda: now


@pytest.mark.slow
async def test_one_call_whatever_is_pressed_twice_and_in_two_processes(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    one.questions.watch(lambda: True)
    question = await ask(one)
    await until(other.questions.waiting)
    [same] = other.questions.waiting()
    assert (same, same.load_order().to) == (question, NUMBER)
    presses = [desk.questions.answer(question.id, PAGE, agree=True) for desk in (one, other, one, other)]
    results = await asyncio.gather(*presses, return_exceptions=True)
    assert [type(result) for result in results if not isinstance(result, Call)] == [QuestionOver] * 3
    [call] = [result for result in results if isinstance(result, Call)]
    assert len(vapi.bodies) == 1
    assert (call.placed_by, call.by_machine) == ("agent", True)
    assert (await one.questions.answered(question.id, HANG_S)).agreed
    await until(lambda: not other.questions.waiting())
    await other.settled()  # whichever was first writes who confirmed it
    entries = await one.timeline(call.id)
    assert {(entry.action, entry.who, entry.detail) for entry in entries} == {
        ("confirm-dial", "page", "agent"),
        ("machine-dial", "agent", ""),
    }


@pytest.mark.slow
async def test_whoever_agrees_too_late_hears_that_somebody_has_answered(desks: tuple[CallDesk, CallDesk]) -> None:
    """Also if their own dial is weighed only when the order of the first answer is dialled."""
    one, other = desks
    one.questions.watch(lambda: True)
    question = await ask(one)
    await until(other.questions.waiting)
    weigh, placed = other.questions._weigh, asyncio.Event()

    async def weigh_late(order: CallOrder, client: Client) -> None:
        await placed.wait()
        await weigh(order, client)

    other.questions._weigh = weigh_late
    late = asyncio.create_task(other.questions.answer(question.id, PAGE, agree=True))
    await asyncio.sleep(0)  # it has read the question
    assert await one.questions.answer(question.id, PAGE, agree=True)
    placed.set()
    with pytest.raises(QuestionOver):
        await late


@pytest.mark.slow
async def test_the_first_answer_counts(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    one.questions.watch(lambda: True)
    question = await ask(one)
    await until(other.questions.waiting)
    assert await other.questions.answer(question.id, PAGE, agree=False) is None
    with pytest.raises(QuestionOver):
        await one.questions.answer(question.id, PAGE, agree=True)
    assert (await one.questions.answered(question.id, HANG_S)).agreed is False
    assert not vapi.bodies
    [row] = [row for row in await one.journal.audit() if row.action == "refuse-dial"]
    assert (row.who, row.to, row.detail) == ("page", NUMBER, "agent")


@pytest.mark.slow
async def test_a_page_of_another_process_shows_it(desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    one.questions.watch(lambda: False)  # a tab that lost its connection
    other.questions.watch(lambda: True)
    question = await ask(one)
    assert one.questions.waiting() == other.questions.waiting()
    assert one.questions.waiting()[0].shown
    assert one.questions.find(agent(one), None, "one")
    await other.questions.answer(question.id, PAGE, agree=False)


async def test_nobody_is_asked_where_no_page_is_open(desks: tuple[CallDesk, CallDesk], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = desks
    monkeypatch.setattr(dial_questions, "_SHOWN_WITHIN_S", 0.05)
    leave = one.questions.watch(lambda: True)
    leave()
    with pytest.raises(NobodyToConfirm):
        await ask(one)
    await until(lambda: not other.questions.waiting())
    assert "agent" not in (await one.journal.state(STATE))[0]


@pytest.mark.slow
async def test_the_same_request_asks_once(desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    one.questions.watch(lambda: True)
    first = await ask(one)
    assert (await ask(one)).id == (await ask(other)).id == first.id
    keyed = await ask(one, key="k", fingerprint="two")
    assert keyed.key == "k"
    assert (await ask(one, key="k", fingerprint="two")).id == keyed.id
    with pytest.raises(KeyReused):
        await ask(other, key="k", fingerprint="three")
    for number in range(3):
        await ask(one, fingerprint=f"more {number}")
    with pytest.raises(LimitReached):
        await ask(one, fingerprint="too many")
    assert len(one.questions.waiting()) == 5


async def test_its_time_ends_and_then_it_is_forgotten(vapi: StandIn, asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    later(one, ANSWER_WITHIN)
    assert not one.questions.waiting()
    with pytest.raises(QuestionOver):
        await one.questions.answer(question.id, PAGE, agree=True)
    assert (await one.questions.answered(question.id, HANG_S)).agreed is None
    assert one.questions.find(agent(one), None, "one")
    later(one, 2 * ANSWER_WITHIN)
    assert one.questions.find(agent(one), None, "one") is None
    await one.questions.forget_old()
    assert await one.journal.state(STATE) == ("", one.questions._revision)
    with pytest.raises(QuestionOver):
        await one.questions.answered(question.id, HANG_S)
    assert not vapi.bodies


async def test_whoever_waits_is_told_when_the_process_ends(asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    waiting = asyncio.create_task(one.questions.answered(question.id, 10 * HANG_S))
    await asyncio.sleep(0)
    one.questions.close()
    async with asyncio.timeout(HANG_S):
        assert (await waiting).agreed is None


@pytest.mark.slow
async def test_a_revoked_token_places_nothing(vapi: StandIn, asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    await one.tokens.revoke(one.tokens.all()[0].id, PAGE)
    with pytest.raises(QuestionOver, match="revoked"):
        await one.questions.answer(question.id, PAGE, agree=True)
    assert not vapi.bodies


@pytest.mark.slow
async def test_a_new_token_with_the_name_of_a_revoked_one_revives_no_question(vapi: StandIn, asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    before = agent(one)
    await one.tokens.revoke(before.token, PAGE)
    await one.tokens.make("agent", SCOPES, None, PAGE)
    assert one.questions.find(before, None, "one") == question
    assert one.questions.find(agent(one), None, "one") is None
    with pytest.raises(QuestionOver, match="revoked"):
        await one.questions.answer(question.id, PAGE, agree=True)
    assert not vapi.bodies


async def test_a_yes_is_no_way_around_the_guard(vapi: StandIn, asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    await one.switch.stop(PAGE.name)
    with pytest.raises(EarshotError, match="stopped"):
        await one.questions.answer(question.id, PAGE, agree=True)
    assert not vapi.bodies


@pytest.mark.slow
async def test_only_who_may_place_calls_answers(vapi: StandIn, asked: tuple[CallDesk, DialQuestion]) -> None:
    one, question = asked
    reader = Client(name="dana", scopes=frozenset(Scope) - {Scope.CALL})
    for agree in (True, False):
        with pytest.raises(Forbidden):
            await one.questions.answer(question.id, reader, agree=agree)
    await one.switch.stop(PAGE.name)
    assert await one.questions.answer(question.id, PAGE, agree=False) is None  # also while dialling is stopped
    assert not vapi.bodies


@pytest.mark.slow
async def test_a_call_that_somebody_confirms_counts_as_theirs(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    await one.people.invite("Ana", Role.CALLER, Caps(per_hour=2), PAGE)
    await other.people.load()
    person = one.people.named("Ana")
    assert person
    ana = person.client
    one.questions.watch(lambda: True)
    first, second, third = [await ask(one, f"+1212555010{number}", fingerprint=str(number)) for number in range(3)]
    assert await one.questions.answer(first.id, ana, agree=True)
    await one.questions.answer(second.id, PAGE, agree=True)  # which is not theirs
    await one.place(one.order(NUMBER), ana)
    with pytest.raises(LimitReached, match="You may place 2 calls in an hour"):
        await one.questions.answer(third.id, ana, agree=True)
    with pytest.raises(LimitReached, match="You may place 2 calls in an hour"):
        await one.place(one.order("+12125550109"), ana)
    [waiting] = one.questions.waiting()  # for somebody who may
    assert waiting.id == third.id
    assert await one.questions.answer(third.id, PAGE, agree=True)
    assert len(vapi.bodies) == 4


@pytest.mark.slow
async def test_many_confirmed_at_once_exceed_no_cap(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    """Each is charged to whoever confirms it, together with what they placed themselves."""
    one, _ = desks
    person, _ = await one.people.invite("Ana", Role.CALLER, Caps(per_hour=2), PAGE)
    one.questions.watch(lambda: True)
    await one.place(one.order(NUMBER), person.client)
    questions = [await ask(one, f"+1212555010{number}", fingerprint=str(number)) for number in range(3)]
    answers = [one.questions.answer(question.id, person.client, agree=True) for question in questions]
    results = await asyncio.gather(*answers, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Call", "LimitReached", "LimitReached"]
    assert len(vapi.bodies) == 2


@pytest.mark.slow
async def test_an_erased_number_is_in_no_question(asked: tuple[CallDesk, DialQuestion]) -> None:
    one, _ = asked
    await ask(one, "+12125550100", fingerprint="two")
    await one.forget_number(NUMBER, PAGE, calls=0)
    assert NUMBER not in (await one.journal.state(STATE))[0]
    assert [question.load_order().to for question in one.questions.waiting()] == ["+12125550100"]


async def test_a_line_that_can_t_be_read_asks_nothing(asked: tuple[CallDesk, DialQuestion]) -> None:
    one, _ = asked
    value, revision = await one.journal.state(STATE)
    for wrong in ("{", "{}", "[]", value.strip().replace('"order": "', '"order": "x'), value.strip().replace('"id"', '"other"')):
        one.questions.follow(f"{wrong}\n", revision := revision + 1)
        assert one.questions.waiting() == [], wrong
    one.questions.follow(value, revision + 1)
    assert len(one.questions.waiting()) == 1
