"""Every error of Earshot, as one tree. Each class has what both faces show: a stable code, a title, and whether a retry may help.

EarshotError
├── RequestError            422  the request is not valid
│   ├── NumberError         422  the number can't be called; the code says why
│   ├── ConsentNeeded       422  somebody has to say whether recording the call is agreed
│   └── KeyReused           422  the idempotency key was used for another request
├── Unauthorized            401  the client is not authenticated
├── Forbidden               403  this client may not do this, or nobody may call this number
│   └── RecordingForbidden       the owner's rules forbid to record this call
├── CallNotFound            404  no such call
├── RecordingNotFound       404  the call has no recording here
├── NotMeasured             404  nothing was measured of the call's conversation
├── WebhookNotFound         404  no such webhook, or no such event of it
├── PersonNotFound          404  no such person
├── RuleNotFound            404  no such rule
├── RecordingUnfinished     409  the recording is still being written
├── NobodyToConfirm         409  no page is open on which the dial could be confirmed
├── QuestionOver            409  the question whether to dial was answered, or its time is over
├── DialRefused             403  somebody on the page refused the dial
├── ConfirmedDialFailed     502  somebody on the page agreed to the dial, but it failed
├── CallNotRunning          409  the call has ended or has not started
├── CallRunning             409  the call has not ended
├── CallNotScheduled        409  the call is not one that can be moved to another time
├── DuplicateCall           409  the same client has just called this number
│   └── DuplicateRunningCall     this number has a running call, whoever placed it
├── KeyInProgress           409  the first request with this idempotency key is still running
├── LimitReached            429  a limit on calls; the code says which
├── Stopped                 503  dialling is switched off
├── ShuttingDown            503  this process is ending and begins nothing new
├── NotConfigured           503  credentials are missing
├── CantRecord              507  there is no room for a recording, or no way to write it
│   ├── RecordedElsewhere        another process is recording the call into the same folder
│   └── RecordingDamaged         a FLAC file does not read back as it was written
├── StoreError              503  the store of the recordings can't be used; what is recorded waits on the disk
├── JournalError            503  the journal can't be read or written; what is not written down is not dialled
│   └── Unwritable               the database works, but does not accept this write
├── HangUpUnconfirmed       502  Vapi has not confirmed that the call ended
└── VapiError                    Vapi, or the way to it
    ├── VapiUnauthorized    502  Vapi rejects a key
    ├── VapiRefused         502  Vapi refused; the detail is Vapi's own message
    ├── VapiUnavailable     502  Vapi can't be reached or its answer is unusable; nothing was placed
    └── OutcomeUnknown           the call may have been placed; the desk searches for it and never redials
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """An invalid field of a request, with the reason in one sentence."""

    field: str
    message: str


class EarshotError(Exception):
    """An error with an explanation for people, including what to do next.

    `detail` is for people and must never contain a key or a listen or control URL. `code` is for programs and never changes.
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
    title = "The request is not valid"


class NumberError(RequestError):
    code = "invalid_number"
    title = "This number can't be called"

    def __init__(self, detail: str, *, code: str | None = None, field: str = "to") -> None:
        super().__init__(detail, code=code, errors=[FieldError(field, detail)])


class ConsentNeeded(RequestError):
    code = "recording_consent_needed"
    title = "Is recording agreed?"


class KeyReused(RequestError):
    code = "idempotency_key_reused"
    title = "This idempotency key was used for another request"


class Unauthorized(EarshotError):
    status = 401
    code = "unauthorized"
    title = "Authentication required"


class Forbidden(EarshotError):
    """`destination_not_allowed`, `number_blocked`, `confirmation_required` or `forbidden_scope`; of people also `destination_not_yours`,
    `not_your_call`, `may_not_record` or `person_disabled`.
    """

    status = 403
    code = "forbidden_scope"
    title = "Not allowed"


class RecordingForbidden(Forbidden):
    code = "recording_forbidden"
    title = "This call may not be recorded"


class DuplicateCall(EarshotError):
    """`call_id` is the earlier call."""

    status = 409
    code = "duplicate_recent_call"
    title = "This number was just called"

    def __init__(self, detail: str, *, call_id: str) -> None:
        super().__init__(detail)
        self.call_id = call_id


class DuplicateRunningCall(DuplicateCall):
    """`call_id` is the running call."""

    code = "duplicate_running_call"
    title = "This number has a running call"

    def __init__(self, *, call_id: str) -> None:
        super().__init__("A call with this number is running. To call it all the same, set allowDuplicate.", call_id=call_id)


class KeyInProgress(EarshotError):
    status = 409
    code = "idempotency_in_progress"
    title = "The first request is still running"
    retryable = True


class NobodyToConfirm(EarshotError):
    status = 409
    code = "nobody_to_confirm"
    title = "Nobody could confirm the call"
    retryable = True


class QuestionOver(EarshotError):
    """`question_over`; for the client that asked, `not_confirmed`."""

    status = 409
    code = "question_over"
    title = "This question is over"


class DialRefused(EarshotError):
    status = 403
    code = "dial_refused"
    title = "Somebody on the page refused the call"


class ConfirmedDialFailed(EarshotError):
    """Somebody agreed to an assistant's dial, but nothing was placed. They were told why, and may be asked again after two minutes."""

    status = 502
    code = "confirmed_dial_failed"
    title = "The confirmed call was not placed"


class LimitReached(EarshotError):
    """`rate_limited` (per hour), `daily_limit_exceeded` or `concurrency_limit_exceeded`. `retry_after`: seconds until there is room."""

    status = 429
    code = "rate_limited"
    title = "Call limit reached"
    retryable = True

    @classmethod
    def at_once(cls, most: int) -> "LimitReached":
        """`most` calls are running. Nobody knows when one of them will end, so a retry after a few seconds is worthwhile."""
        many = "1 call" if most == 1 else f"{most} calls"
        return cls(
            f"At most {many} at once (EARSHOT_CONCURRENT_CALLS). A call counts until its end is confirmed.",
            code="concurrency_limit_exceeded",
            retry_after=10,
        )


class Stopped(EarshotError):
    status = 503
    code = "stopped"
    title = "Dialling is stopped"


class ShuttingDown(EarshotError):
    status = 503
    code = "shutting_down"
    title = "Earshot is shutting down"
    retryable = True


class CallNotFound(EarshotError):
    status = 404
    code = "call_not_found"
    title = "No such call"

    def __init__(self, detail: str = "There is no call with this id.") -> None:
        super().__init__(detail)


class RecordingNotFound(EarshotError):
    status = 404
    code = "recording_not_found"
    title = "No recording"


class NotMeasured(EarshotError):
    status = 404
    code = "not_measured"
    title = "Not measured"


class WebhookNotFound(EarshotError):
    status = 404
    code = "webhook_not_found"
    title = "No such webhook"


class PersonNotFound(EarshotError):
    status = 404
    code = "person_not_found"
    title = "No such person"

    def __init__(self, detail: str = "There is no person with this id.") -> None:
        super().__init__(detail)


class RuleNotFound(EarshotError):
    status = 404
    code = "rule_not_found"
    title = "No such rule"

    def __init__(self) -> None:
        super().__init__("There is no rule with this id.")


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


class StoreError(EarshotError):
    """The store of the recordings can't be used: `store_refused`, `store_absent` or `store_unavailable`."""

    status = 503
    code = "store_unavailable"
    title = "The store of the recordings can't be used"
    retryable = True


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


class CallRunning(EarshotError):
    status = 409
    code = "call_running"
    title = "The call has not ended"


class CallNotScheduled(EarshotError):
    status = 409
    code = "call_not_scheduled"
    title = "The call can't be moved"


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
    title = "Vapi rejects the key"


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
    title = "The call may have been placed"
