"""The journal's counts of calls."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from services.journal.database.codec import milliseconds
from services.journal.database.database import Database
from services.journal.tables import insights
from services.journal.tables.insights import DAY_MS, Group, Run


class InsightsJournal:
    """Methods raise JournalError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(
        self, midnights: Sequence[datetime], *, speaker: str | None = None, caller: str | None = None
    ) -> tuple[list[Group], list[Group]]:
        """The calls by day, between each two of `midnights`, and by speaker and caller ID. Scheduled calls and those of unknown outcome
        are left out. `speaker` and `caller` count only those of one.
        """
        at = [milliseconds(time) for time in midnights]

        def read(connection: sa.Connection) -> tuple[list[Group], list[Group]]:
            days = insights.by_day(connection, _runs(at), speaker=speaker, caller=caller)
            return days, insights.by_sides(connection, at[0], at[-1], speaker=speaker, caller=caller)

        return await self._database.read(read)


def _runs(at: Sequence[int]) -> list[Run]:
    """The days between these times, in runs of days that begin 24 hours apart."""
    runs = []
    first = 0
    for day in range(1, len(at)):
        if day == len(at) - 1 or at[day] - at[day - 1] != DAY_MS:
            runs.append(Run(number=first, days=day - first, start_ms=at[first], end_ms=at[day]))
            first = day
    return runs
