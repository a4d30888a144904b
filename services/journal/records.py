"""What the journal takes and gives. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.call import CallOrder
from services.domain.errors import EarshotError


class JournalError(EarshotError):
    """The journal can't be read or written. What is not written down is not dialled."""

    status = 503
    code = "journal_unavailable"
    title = "The journal can't be used"
    retryable = True


class DialState(StrEnum):
    """How far a dial came. All but `REFUSED` count as dialled, because they may have been."""

    DIALLING = "dialling"
    UNKNOWN = "unknown"
    """Vapi's answer was lost; the call is looked for."""
    LOST = "lost"
    """Looked for in vain, and not looked for any more."""
    PLACED = "placed"
    REFUSED = "refused"
    """Nothing was placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What was answered to a request with an idempotency key. Its `listenUrl`, which holds a ticket, is not kept."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One order, from the moment before it is dialled."""

    order: CallOrder
    client: str
    state: DialState
    dialled_at: datetime
    call_id: str | None = None
    key: str | None = None
    fingerprint: str | None = None
    answer: StoredAnswer | None = None

    @property
    def shown_id(self) -> str:
        """The call's id, or the one it goes by until it is known."""
        return self.call_id or f"unknown-{self.order.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What may be done now: dial, where `replay` is None, or else give that answer again. `dial` is what is written down."""

    dial: Dial
    replay: StoredAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on all dials of the last hour and the last 24 hours, on calls at once, and how long a client may not dial a number again.

    They hold over all processes of a journal. None: no limit.
    """

    per_hour: int | None = None
    per_day: int | None = None
    at_once: int | None = None
    duplicate_window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what, when, and how it went."""

    at: datetime
    who: str
    action: str
    call_id: str | None
    to: str | None
    outcome: str
    detail: str
