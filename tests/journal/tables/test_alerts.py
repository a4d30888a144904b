"""Alerts of rules that only a newer version knows, on one journal with this one."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa

from services.domain.alert import Alert
from services.domain.call import CallStatus
from services.domain.rule import Effect, Rule, RuleKind, RuleSpeaker
from services.journal import EventKind
from services.journal.tables import alerts
from tests.journal.conftest import Open, execute
from tests.journal.processes.test_feed import following
from tests.journal.tables.test_calls import call
from tests.journal.tables.test_outbox import add

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)


class Newer(StrEnum):
    KIND = "mood"
    SPEAKER = "supervisor"


UNKNOWN: tuple[dict[str, Any], ...] = ({"kind": Newer.KIND}, {"speaker": Newer.SPEAKER})


def raised(call_id: str, **rule: Any) -> Alert:
    wanted = {"kind": RuleKind.KEYWORD, "phrase": "cancel", "speaker": RuleSpeaker.EITHER, "effects": frozenset({Effect.WEBHOOK})}
    return Alert(call_id=call_id, rule=Rule(id="one", **(wanted | rule)), at=AT, said="cancel it")


@pytest.mark.parametrize("newer", UNKNOWN)
async def test_an_alert_of_a_newer_version_is_left_out_and_the_feed_goes_on(open_journal: Open, newer: dict[str, Any]) -> None:
    one, other = await open_journal(), await open_journal()
    follower = await following(other)
    await one.alerts.add(raised("call-1", **newer))
    await one.alerts.add(raised("call-2"))
    await one.save(call(2, CallStatus.ENDED))
    await follower.until(lambda: follower.calls == {"call-2": CallStatus.ENDED})
    await follower.until(lambda: any(news.alerts for news in follower.news))
    assert {alert.call_id for news in follower.news for alert in news.alerts} == {"call-2"}
    assert await other.alerts.among(["call-1", "call-2"]) == {"call-2": [raised("call-2")]}


async def test_what_was_said_goes_from_an_alert_of_a_newer_version_too(open_journal: Open, url: str) -> None:
    journal = await open_journal()
    await add(journal)
    await journal.save(call(1))
    await journal.alerts.add(raised("call-1", kind=Newer.KIND))

    def unquote(connection: sa.Connection) -> None:
        alerts.unquote(connection, ["call-1"])

    await journal._database.write(unquote)
    rows = await execute(url, "SELECT data FROM earshot_alerts UNION ALL SELECT data FROM earshot_outbox WHERE kind = 'call.alert'")
    kept = [json.loads(data) for (data,) in rows]
    assert [(one["rule"]["kind"], one["rule"]["phrase"], one["said"]) for one in kept] == [("mood", "cancel", "")] * 2


async def test_an_event_of_such_an_alert_holds_up_no_other(open_journal: Open) -> None:
    journal = await open_journal()
    await add(journal)
    await journal.alerts.add(raised("call-1", kind=Newer.KIND))
    await journal.alerts.add(raised("call-2"))
    found = {event.call_id: event.alert for event in await journal.outbox.deliveries("crm") if event.kind is EventKind.ALERT}
    assert found == {"call-1": None, "call-2": raised("call-2")}
