"""The journal of alerts: which rules applied to which calls."""

from collections.abc import Collection
from functools import partial

from services.domain.alert import Alert
from services.journal.database.database import Database
from services.journal.tables import alerts
from services.journal.writing.writer import Writer
from services.journal.writing.writes import Fact

_RAISE: Fact[Alert] = Fact(turn=5, run=alerts.add, about=lambda alert: alert.call_id)


class AlertsJournal:
    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def add(self, alert: Alert) -> None:
        """Reports an alert, unless the call has one of this rule. It is written as soon as the database allows it."""
        await self._writer.record(_RAISE, alert)

    async def among(self, call_ids: Collection[str]) -> dict[str, list[Alert]]:
        """The alerts of those of these calls that have any, oldest first. Raises JournalError."""
        return await self._database.read(partial(alerts.among, call_ids=call_ids))
