"""All that can go wrong, as one tree. Each class carries what both faces tell: a stable code, a title, whether trying again helps.

EarshotError
├── RequestError            422  the request does not make sense as it stands
│   ├── NumberError         422  the number can't be called; the code says why
│   └── KeyReused           422  an idempotency key came with another request before
├── Unauthorized            401  who asks is not known
├── Forbidden               403  who asks may not do this, or nobody may call this number
├── CallNotFound            404  no such call
├── RecordingNotFound       404  the call has no recording here
├── RecordingUnfinished     409  the recording is still being written
├── CallNotRunning          409  the call is over, or not yet begun
├── DuplicateCall           409  the same number was called a moment ago
├── KeyInProgress           409  the request with this idempotency key is still being answered
├── LimitReached            429  a limit on calls; the code says which
├── Stopped                 503  dialling is switched off
├── NotConfigured           503  credentials are missing
├── CantRecord              507  there is no room for a recording, or no way to write it
│   ├── RecordedElsewhere        another process is recording the call into the same folder
│   └── RecordingDamaged         a FLAC file does not read back as it was written
├── JournalError            503  the journal can't be read or written; what is not written down is not dialled
│   └── Unwritable               the database works, but does not accept this write
├── HangUpUnconfirmed       502  asked to end, but Vapi has not confirmed it
└── VapiError                    Vapi, or the way to it
    ├── VapiUnauthorized    502  a key is not accepted
    ├── VapiRefused         502  Vapi says no; its own words are the detail
    ├── VapiUnavailable     502  Vapi can't be reached or answers nonsense; nothing was placed
    └── OutcomeUnknown           a call may or may not have been placed; the desk answers it by looking, never by dialling
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that is wrong, and why, in a sentence."""

    field: str
    message: str


class EarshotError(Exception):
    """What went wrong, in plain words with a next step.

    `detail` is for people and must never hold a key or a listen or control URL; `code` is for programs and stays stable.
    `retry_after` is in seconds.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Something went wrong"
    retryable: bool = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class RequestError(EarshotError):
    status = 422
    code = "invalid_request"
    title = "The request can't be used as it is"


class NumberError(RequestError):
    code = "invalid_number"
    title = "This number can't be called"

    def __init__(self, detail: str, *, code: str | None = None, field: str = "to") -> None:
        super().__init__(detail, code=code, errors=[FieldError(field, detail)])


class KeyReused(RequestError):
    code = "idempotency_key_reused"
    title = "This idempotency key belongs to another request"


class Unauthorized(EarshotError):
    status = 401
    code = "unauthorized"
    title = "Authentication required"


class Forbidden(EarshotError):
    """`destination_not_allowed`, `number_blocked` or `forbidden_scope`."""

    status = 403
    code = "forbidden_scope"
    title = "This is not allowed"


class DuplicateCall(EarshotError):
    """`call_id` is the call that was placed before."""

    status = 409
    code = "duplicate_recent_call"
    title = "This number was called a moment ago"

    def __init__(self, detail: str, *, call_id: str) -> None:
        super().__init__(detail)
        self.call_id = call_id


class KeyInProgress(EarshotError):
    status = 409
    code = "idempotency_in_progress"
    title = "This request is still being answered"
    retryable = True


class LimitReached(EarshotError):
    """`rate_limited` (per hour), `daily_limit_exceeded` or `concurrency_limit_exceeded`; `retry_after` says when there is room again."""

    status = 429
    code = "rate_limited"
    title = "No more calls for now"
    retryable = True

    @classmethod
    def at_once(cls, most: int) -> "LimitReached":
        """There are `most` calls already. Nobody knows when one of them ends: it is worth asking again after some seconds."""
        many = "1 call" if most == 1 else f"{most} calls"
        return cls(
            f"No more than {many} at once (EARSHOT_CONCURRENT_CALLS). A call whose end is not proven counts as running.",
            code="concurrency_limit_exceeded",
            retry_after=10,
        )


class Stopped(EarshotError):
    status = 503
    code = "stopped"
    title = "Dialling is switched off"


class CallNotFound(EarshotError):
    status = 404
    code = "call_not_found"
    title = "No such call"


class RecordingNotFound(EarshotError):
    status = 404
    code = "recording_not_found"
    title = "No recording"


class RecordingUnfinished(EarshotError):
    status = 409
    code = "recording_in_progress"
    title = "The recording is still being written"
    retryable = True


class CantRecord(EarshotError):
    """`disk_full`, `limit`, `disk` or `elsewhere`, as in services/recording/recordings.py."""

    status = 507
    code = "disk"
    title = "The call can't be recorded"


class RecordedElsewhere(CantRecord):
    """Another process is recording this call into the same folder."""


class RecordingDamaged(CantRecord):
    """A FLAC file does not read back as it was written."""


class JournalError(EarshotError):
    status = 503
    code = "journal_unavailable"
    title = "The journal can't be used"
    retryable = True


class Unwritable(JournalError):
    """The database works, but does not accept this write."""


class CallNotRunning(EarshotError):
    status = 409
    code = "call_not_running"
    title = "The call is not running"


class NotConfigured(EarshotError):
    status = 503
    code = "not_configured"
    title = "Calls can't be placed yet"

    @classmethod
    def without(cls, missing: Sequence[str]) -> "NotConfigured":
        """`missing` are the environment variables that are not set."""
        one = len(missing) == 1
        return cls(f"{' and '.join(missing)} {'is' if one else 'are'} missing. Set {'it' if one else 'them'} and start Earshot again.")


class HangUpUnconfirmed(EarshotError):
    status = 502
    code = "hang_up_unconfirmed"
    title = "The call may still be running"
    retryable = True


class VapiError(EarshotError):
    status = 502


class VapiUnauthorized(VapiError):
    code = "vapi_unauthorized"
    title = "Vapi does not accept the key"


class VapiRefused(VapiError):
    code = "vapi_refused"
    title = "Vapi refused"


class VapiUnavailable(VapiError):
    code = "vapi_unavailable"
    title = "Vapi can't be reached"
    retryable = True


class OutcomeUnknown(VapiError):
    status = 202
    code = "outcome_unknown"
    title = "It is not known whether the call was placed"
