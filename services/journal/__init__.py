"""The journal: every lasting fact about dials and calls, in SQLite or PostgreSQL."""

from services.journal.journal import Journal
from services.journal.processes.feed import News
from services.journal.records import (
    AuditRow,
    Begun,
    Condition,
    Delivery,
    DeliveryState,
    Dial,
    DialState,
    Endpoint,
    EventKind,
    Lease,
    RecordingState,
    Session,
)

__all__ = [
    "AuditRow",
    "Begun",
    "Condition",
    "Delivery",
    "DeliveryState",
    "Dial",
    "DialState",
    "Endpoint",
    "EventKind",
    "Journal",
    "Lease",
    "News",
    "RecordingState",
    "Session",
]
