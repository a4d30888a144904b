"""The journal: every lasting fact about dials and calls, in SQLite or PostgreSQL."""

from services.journal.journal import Journal
from services.journal.processes.feed import News
from services.journal.records import AuditRow, Begun, Condition, Dial, DialState, Lease, RecordingState, Session

__all__ = ["AuditRow", "Begun", "Condition", "Dial", "DialState", "Journal", "Lease", "News", "RecordingState", "Session"]
