"""The journal's counts of calls."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from services.journal.database.codec import milliseconds
from services.journal.database.database import Database
from services.journal.tables import insights
from services.journal.tables.insights import DAY_MS, Alerted, Group, Known, Run


class InsightsJournal:
    """Methods raise JournalError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Known = {}

    async def count(
        self, midnights: Sequence[datetime], *, speaker: str | None = None, caller: str | None = None
    ) -> tuple[list[Group], list[Group]]:
        """The calls by day, between each two of `midnights`, and by speaker and caller ID. Scheduled calls and those of unknown outcome
        are left out. `speaker` and `caller` count only those of one.
        """
        at = [milliseconds(time) for time in midnights]

        read = partial(insights.count, runs=_runs(at), speaker=speaker, caller=caller, known=self._known)
        days, sides, self._known = await self._database.read(read)
        return days, sides

    async def count_alerted(self, midnights: Sequence[datetime], *, speaker: str | None = None, caller: str | None = None) -> Alerted:
        """The calls with alerts among those that `count` counts."""
        runs = _runs([milliseconds(time) for time in midnights])
        return await self._database.read(partial(insights.count_alerted, runs=runs, speaker=speaker, caller=caller))


def _runs(at: Sequence[int]) -> list[Run]:
    """The days between these times, in runs of days that begin 24 hours apart."""
    runs = []
    first = 0
    for day in range(1, len(at)):
        if day == len(at) - 1 or at[day] - at[day - 1] != DAY_MS:
            runs.append(Run(number=first, days=day - first, start_ms=at[first], end_ms=at[day]))
            first = day
    return runs
