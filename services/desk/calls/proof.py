"""What proves that a call is over although no read has shown its end. Pure."""

from datetime import datetime, timedelta

from services.domain.call import GONE, LONGEST_CALL_SECONDS, TOO_OLD, Call, CallStatus

LATE = timedelta(minutes=30)
"""By which Vapi may start a call late, ringing included."""

_LONGEST = timedelta(seconds=LONGEST_CALL_SECONDS, hours=1)  # the hour covers ringing
_LINGERING = timedelta(minutes=1)  # by which a call may outlast its maximum duration


def over(call: Call, now: datetime, *, gone: bool = False) -> str | None:
    """The ended reason of a running call that must be over, else None. `gone`: Vapi no longer knows it.

    Deleting a call's data at Vapi does not hang up, so a call that is gone is over only if it had not begun, or if its own longest time
    has passed. A scheduled call whose time is unknown may still be waiting.
    """
    if not call.running or call.due_at is None:
        return None
    scheduled = call.status is CallStatus.SCHEDULED
    if gone and ((scheduled and (call.earliest_at is None or call.earliest_at > now)) or _own_time_over(call, now)):
        return GONE
    if scheduled and call.earliest_at is None:
        return None
    return TOO_OLD if call.due_by and now > call.due_by + _LONGEST else None


def stuck(call: Call, now: datetime) -> bool:
    """True if a running call should be over, or should have been found, so that an owner may want to free its slot."""
    if not call.running or call.status is CallStatus.SCHEDULED:
        return False
    searched = call.status is CallStatus.UNKNOWN and call.created_at is not None and now > call.created_at + timedelta(minutes=10)
    return searched or _own_time_over(call, now)


def _own_time_over(call: Call, now: datetime) -> bool:
    longest = timedelta(seconds=call.max_duration_seconds or LONGEST_CALL_SECONDS)
    if call.status is CallStatus.FORWARDING:  # the assistant's limit may not hold for two people who talk
        longest = timedelta(seconds=LONGEST_CALL_SECONDS)
    if call.started_at:
        return now > call.started_at + longest + _LINGERING
    return call.due_by is not None and now > call.due_by + longest + LATE
