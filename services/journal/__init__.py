"""The journal: what is written down before and after a call is dialled, in SQLite or PostgreSQL."""

from services.journal.journal import Journal
from services.journal.records import AuditRow, Begun, Dial, DialState, JournalError, Limits, StoredAnswer

__all__ = ["AuditRow", "Begun", "Dial", "DialState", "Journal", "JournalError", "Limits", "StoredAnswer"]
