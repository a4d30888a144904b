"""Counts requested dials by their outcome."""

from collections import Counter
from collections.abc import Awaitable

from services.desk.placing.placing import Placed
from services.domain.call import CallStatus
from services.domain.errors import EarshotError


class DialCounts(Counter[tuple[str, str]]):
    """How many dials were asked for, by result (`placed`, `unknown`, `refused`) and the code of a refusal."""

    def refused(self, error: EarshotError) -> None:
        """Counts a dial that was refused, at the desk or before it got there."""
        self["refused", error.code] += 1

    async def count(self, placing: Awaitable[Placed]) -> Placed:
        """Awaits a dial and counts it, unless its key had placed it before. Raises the errors of `placing`."""
        try:
            placed = await placing
        except EarshotError as error:
            self.refused(error)
            raise
        if not placed.replayed:
            self["unknown" if placed.call.status is CallStatus.UNKNOWN else "placed", ""] += 1
        return placed
