"""Whether calls can be placed, proven by a write to the journal: what `/health` says, and `/metrics`."""

from dataclasses import dataclass

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError, JournalError, NotConfigured
from services.journal import Condition


@dataclass(frozen=True, slots=True)
class Readiness:
    """`obstacle` is why no call can be placed; None if one can. `condition` is the journal's, even then."""

    obstacle: EarshotError | None
    condition: Condition


async def readiness_of(desk: CallDesk) -> Readiness:
    """Looks at the credentials, at a shutdown under way, and at the journal, in this order."""
    condition = await desk.journal.condition()
    if desk.missing:
        return Readiness(NotConfigured(f"Set {' and '.join(desk.missing)}, in the environment or in .env, and start again."), condition)
    try:
        desk.check_open()
    except EarshotError as error:
        return Readiness(error, condition)
    trouble = condition.trouble or _slots_lost(condition, desk.limits.at_once)
    return Readiness(JournalError(trouble) if trouble else None, condition)


def _slots_lost(found: Condition, at_once: int | None) -> str | None:
    if at_once and found.abandoned >= at_once:
        return (
            f"All {at_once} slots (EARSHOT_CONCURRENT_CALLS) are held by dials of unknown outcome that nobody searches for any more, so no"
            " call can be placed. Look at Vapi's dashboard whether these calls run, and free the slots of those that do not."
        )
    return None
