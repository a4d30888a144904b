"""Rules apply to calls as lines, figures, costs and transcripts come: once for each call, in every process, also after a restart."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.call import Call
from services.domain.client import LOCAL, PAGE
from services.domain.errors import RequestError, RuleNotFound
from services.domain.rule import MOST_RULES, Rule, RuleKind, RuleSpeaker, altered, rule_of
from services.domain.speech import Utterance
from services.measures.figures import Figures
from services.measures.measured import Measured
from tests.desk.judging.test_measuring import until as wait_until
from tests.desk.test_desk import place, until
from tests.desks import desk_at, two_desks
from tests.measures.test_judgement import INTERRUPTED, silent
from tests.stand_in import StandIn


async def add(desk: CallDesk, kind: RuleKind, **given: Any) -> Rule:
    return await desk.rules.add(partial(rule_of, kind=kind, since=desk.rules.now(), **given), PAGE)


async def keyword(desk: CallDesk, phrase: str, speaker: RuleSpeaker = RuleSpeaker.CUSTOMER) -> Rule:
    return await add(desk, RuleKind.KEYWORD, phrase=phrase, speaker=speaker)


def say(desk: CallDesk, call: Call, text: str, speaker: str = "customer", *, final: bool = True) -> None:
    desk.transcripts.take(call.id, Utterance(speaker=speaker, text=text, final=final))


def measure(desk: CallDesk, call: Call, figures: Figures) -> None:
    desk.measurements.take(call.id, Measured(datetime.now(UTC).timestamp() - 60, figures), over=False)


def raised(desk: CallDesk) -> list[Alert]:
    found: list[Alert] = []
    desk.alerts.raised.subscribe(found.append)
    return found


async def answered(vapi: StandIn, desk: CallDesk) -> Call:
    call = await place(desk)
    vapi.move(call.id, "in-progress")
    return await until(desk, call.id, lambda call: call.answered)


@pytest.mark.slow
async def test_a_keyword_gives_one_alert_of_each_call(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        rule = await keyword(desk, "cancel")
        found = raised(desk)
        for call in [await answered(vapi, desk), await answered(vapi, desk)]:
            say(desk, call, "I'd like to cancel", final=False)
            say(desk, call, "Shall I cancel it?", "assistant")
            say(desk, call, "Yes, it should be cancelled.")
            await wait_until(partial(desk.alerts.of, call.id))
            for number in range(20):
                say(desk, call, f"Cancel it, {number}")
            [alert] = desk.alerts.of(call.id)
            assert (alert.rule, alert.said, alert.amount) == (rule, "Yes, it should be cancelled.", None)
        assert [alert.said for alert in found] == ["Yes, it should be cancelled."] * 2


async def test_what_was_said_before_the_rule_was_switched_on_gives_no_alert(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        call = await answered(vapi, desk)
        say(desk, call, "Cancel the first")
        rule = await keyword(desk, "cancel")
        off = await add(desk, RuleKind.KEYWORD, phrase="second")
        await desk.rules.alter(off.id, partial(altered, now=desk.rules.now(), on=False), PAGE)
        say(desk, call, "Cancel the second")
        await wait_until(lambda: desk.alerts.of(call.id))
        assert [(alert.rule, alert.said) for alert in desk.alerts.of(call.id)] == [(rule, "Cancel the second")]


async def test_figures_give_alerts_while_the_call_runs(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        silence = await add(desk, RuleKind.SILENCE, above=8)
        interruptions = await add(desk, RuleKind.INTERRUPTIONS, above=2, speaker=RuleSpeaker.EITHER)
        call = await answered(vapi, desk)
        measure(desk, call, silent((55, 62)))
        await wait_until(lambda: desk.alerts.loaded(call.id))
        assert desk.alerts.of(call.id) == ()
        for end in range(63, 75):
            measure(desk, call, silent((55, end)))
        measure(desk, call, INTERRUPTED)
        found = {alert.rule: alert.amount for alert in desk.alerts.of(call.id)}
        assert found == {silence: 9, interruptions: 3}


async def test_a_cost_gives_an_alert_whenever_it_comes(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        rule = await add(desk, RuleKind.COST, above=0.1)
        call = await answered(vapi, desk)
        vapi.move(call.id, "ended", endedReason="customer-ended-call", cost=0.25)
        await until(desk, call.id, lambda call: call.cost is not None)
        await wait_until(lambda: desk.alerts.of(call.id))
        assert [(alert.rule, alert.amount) for alert in desk.alerts.of(call.id)] == [(rule, 0.25)]


@pytest.mark.slow
async def test_the_cost_of_a_call_that_ended_before_gives_none(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        call = await answered(vapi, desk)
        ended = await desk.end(call.id, LOCAL)
        rule = await add(desk, RuleKind.COST, above=0.1)
        assert rule.since
        await desk.alerts.load([call.id])
        desk.changed.emit(replace(ended, cost=0.25, ended_at=rule.since - timedelta(seconds=1)))
        assert desk.alerts.of(call.id) == ()
        desk.changed.emit(replace(ended, cost=0.25, ended_at=rule.since + timedelta(seconds=1)))
        assert [alert.amount for alert in desk.alerts.of(call.id)] == [0.25]


async def say_unheard(vapi: StandIn, desk: CallDesk, call: Call, *texts: str) -> None:
    """The customer says this, which nobody hears, and the call ends. Vapi has it in its transcript."""
    now = datetime.now(UTC)
    messages = [{"role": "user", "message": text, "time": 1000 * now.timestamp()} for text in texts]
    vapi.move(call.id, "ended", startedAt=now.isoformat(), artifact={"messages": messages})
    await until(desk, call.id, lambda call: not call.running)


@pytest.mark.slow
async def test_a_keyword_in_vapis_transcript_gives_an_alert_of_a_call_that_nobody_heard(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.01,) * 5)
    async with desk_at(vapi.url, tmp_path) as desk:
        rule = await keyword(desk, "cancel")
        found = raised(desk)
        call = await answered(vapi, desk)
        await say_unheard(vapi, desk, call, "I'd like to keep it", "No, cancel it", "Cancel it at once")
        await wait_until(lambda: desk.alerts.of(call.id))
        assert [(alert.rule, alert.said) for alert in desk.alerts.of(call.id)] == [(rule, "No, cancel it")]
        await desk.transcript(call.id)
        assert len(found) == 1
        await desk.alerts.settled()
        assert [alert.said for alert in (await desk.journal.alerts.among([call.id]))[call.id]] == ["No, cancel it"]


@pytest.mark.slow
async def test_what_was_heard_live_and_is_in_vapis_transcript_too_gives_one_alert(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.01, 0.01))
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        heard, unheard = await keyword(one, "cancel"), await keyword(one, "refund")
        await wait_until(lambda: len(other.rules.on) == 2)
        call = await answered(vapi, one)
        await until(other, call.id, lambda call: call.answered)
        say(one, call, "Cancel it")
        await wait_until(lambda: other.alerts.of(call.id))
        await say_unheard(vapi, one, call, "Please cancel it", "And I want a refund")
        await until(other, call.id, lambda call: not call.running)
        await wait_until(lambda: all(len(desk.alerts.of(call.id)) > 1 for desk in (one, other)))
        for desk in (one, other):
            found = {alert.rule: alert.said for alert in desk.alerts.of(call.id)}
            assert found == {heard: "Cancel it", unheard: "And I want a refund"}
        await asyncio.gather(one.alerts.settled(), other.alerts.settled())
        assert len((await one.journal.alerts.among([call.id]))[call.id]) == 2


@pytest.mark.slow
async def test_what_vapi_wrote_of_a_time_before_the_rule_was_switched_on_gives_no_alert(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.01,) * 1000)
    async with desk_at(vapi.url, tmp_path) as desk:
        before, after = await answered(vapi, desk), await answered(vapi, desk)
        vapi.move(before.id, "ended", startedAt=datetime.now(UTC).isoformat())
        await until(desk, before.id, lambda call: not call.running)
        earlier = datetime.now(UTC)
        rule = await keyword(desk, "cancel")
        message = {"role": "user", "message": "Cancel the first", "time": 1000 * earlier.timestamp()}
        vapi.move(before.id, "ended", artifact={"messages": [message]})
        await wait_until(lambda: desk.alerts.loaded(before.id))
        await say_unheard(vapi, desk, after, "Cancel the second")
        await wait_until(lambda: desk.alerts.of(after.id))
        assert [(alert.rule, alert.said) for alert in desk.alerts.of(after.id)] == [(rule, "Cancel the second")]
        assert desk.alerts.of(before.id) == ()


@pytest.mark.slow
async def test_after_a_restart_an_alert_is_there_and_does_not_come_again(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        rule = await keyword(desk, "cancel")
        call = await answered(vapi, desk)
        say(desk, call, "Cancel it")
        await wait_until(lambda: desk.alerts.of(call.id))
        before = desk.alerts.of(call.id)
    async with desk_at(vapi.url, tmp_path) as again:
        assert again.rules.all() == [rule]
        assert again.alerts.of(call.id) == before
        found = raised(again)
        await until(again, call.id, lambda call: call.answered)
        say(again, call, "Cancel it")
        assert (found, again.alerts.of(call.id)) == ([], before)
        await again.rules.remove(rule.id, PAGE)
        assert again.alerts.of(call.id) == before, "the alert outlives its rule"


@pytest.mark.slow
async def test_an_alert_of_an_ended_call_is_read_from_the_journal(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        await keyword(desk, "cancel")
        call = await answered(vapi, desk)
        say(desk, call, "Cancel it")
        await wait_until(lambda: desk.alerts.of(call.id))
        before = desk.alerts.of(call.id)
        await desk.end(call.id, LOCAL)
        await desk.alerts.settled()
        desk.alerts._calls.clear()
        desk.alerts._loaded.clear()
        await desk.alerts.load([call.id])
        assert desk.alerts.of(call.id) == before


@pytest.mark.slow
async def test_every_process_shows_an_alert_once(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        rule = await keyword(one, "cancel")
        await wait_until(lambda: other.rules.all() == [rule])
        here, there = raised(one), raised(other)
        call = await answered(vapi, one)
        await until(other, call.id, lambda call: call.answered)
        say(one, call, "Cancel it")
        await wait_until(lambda: here and there)
        say(other, call, "Cancel it at once")  # it hears the call too, as somebody listens to it there
        await other.alerts.load([call.id])
        await asyncio.sleep(0)
        await other.alerts.settled()
        assert [alert.said for alert in (*here, *there)] == ["Cancel it", "Cancel it"]
        stored = await one.journal.alerts.among([call.id])
        assert [alert.said for alert in stored[call.id]] == ["Cancel it"]


async def test_if_two_processes_find_the_same_the_journal_keeps_one(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        rule = await keyword(one, "cancel")
        alert = Alert(call_id="one", rule=rule, at=datetime.now(UTC), said="Cancel it")
        there = raised(other)
        for desk in (one, other):
            desk.alerts.add(alert)
        await asyncio.gather(one.alerts.settled(), other.alerts.settled())
        assert (await one.journal.alerts.among(["one"]))["one"] == [alert]
        assert (one.journal.waiting, other.journal.waiting) == (0, 0)  # what the database does not accept would wait
        await other.journal.catch_up()
        assert there == [alert]


@pytest.mark.slow
async def test_rules_that_come_and_go_do_not_flood_a_call(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.judging.alerts.MOST_ALERTS", 3)
    async with desk_at(vapi.url, tmp_path) as desk:
        call = await answered(vapi, desk)
        found = raised(desk)
        for number in range(5):
            rule = await keyword(desk, "cancel")
            say(desk, call, f"Cancel it, {number}")
            await wait_until(lambda: desk.alerts.loaded(call.id))
            await desk.rules.remove(rule.id, PAGE)
        assert len(found) == 3


@pytest.mark.slow
async def test_the_alerts_of_a_call_are_deleted_with_its_data_and_none_comes_later(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        await keyword(one, "cancel")
        call = await answered(vapi, one)
        say(one, call, "Cancel it")
        await wait_until(lambda: one.alerts.of(call.id) and other.alerts.of(call.id))
        await one.end(call.id, LOCAL)
        await one.erase(call.id, LOCAL)
        await wait_until(lambda: not other.alerts.of(call.id))
        assert one.alerts.of(call.id) == ()
        say(one, call, "Cancel it at once")
        for desk in (one, other):
            desk.alerts.add(Alert(call_id=call.id, rule=one.rules.on[0], at=datetime.now(UTC), said="Cancel it"))
            assert desk.alerts.of(call.id) == ()
        await asyncio.gather(one.alerts.settled(), other.alerts.settled())
        await one.journal.alerts.add(Alert(call_id=call.id, rule=one.rules.on[0], at=datetime.now(UTC), said="Cancel it"))
        assert await one.journal.alerts.among([call.id]) == {}


@pytest.mark.slow
async def test_there_are_not_endlessly_many_rules(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        for number in range(MOST_RULES):
            await keyword(desk, f"word {number}")
        with pytest.raises(RequestError) as refused:
            await keyword(desk, "one more")
        assert refused.value.code == "too_many_rules"
        for refusal in (desk.rules.alter("none", lambda rule: rule, PAGE), desk.rules.remove("none", PAGE)):
            with pytest.raises(RuleNotFound):
                await refusal
        assert {row.action for row in await desk.journal.audit()} == {"add-rule"}
