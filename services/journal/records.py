"""The records that the journal stores and returns. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.domain.alert import Alert
from services.domain.call import Call, CallOrder
from services.journal.database.codec import milliseconds, storable, time_of


class DialState(StrEnum):
    """How far a dial got. All but `REFUSED` count as dialled, because somebody's phone may have rung."""

    DIALLING = "dialling"
    UNKNOWN = "unknown"
    """Vapi's answer was lost. Earshot searches for the call."""
    LOST = "lost"
    """The search found nothing and has ended."""
    PLACED = "placed"
    REFUSED = "refused"
    """Nothing was placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One order, written down before it is dialled. `first_call` is the call that a repeated idempotency key is answered with.
    `hang_up_by` is who wants its call ended as soon as it is known. `person` is the id of the person who placed it, or who agreed to it;
    None if an earlier version dialled, which did not write it down.
    """

    order: CallOrder
    client: str
    state: DialState
    dialled_at: datetime
    call_id: str | None = None
    key: str | None = None
    fingerprint: str | None = None
    first_call: Call | None = None
    hang_up_by: str | None = None
    person: str | None = ""

    @property
    def shown_id(self) -> str:
        """The call's id, or its temporary id until Vapi's id is known."""
        return self.call_id or f"unknown-{self.order.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The result of `Journal.begin`: dial if `replay` is None, otherwise answer with the call `replay`. `dial` is the stored dial.

    `states` is the revision of the latest change of the installation's states when it was stored.
    """

    dial: Dial
    replay: Call | None = None
    states: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login session. `key` is a keyed hash of the id in the cookie. `used_at` may lag behind by minutes. `login` says whose it is
    (`Person.login`); empty: a user with the shared password.
    """

    key: str
    begun_at: datetime
    used_at: datetime
    ended: bool = False
    login: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to record a call. `missing_from_ms`: this process takes over from one that has stopped, which had recorded from then on
    (milliseconds since 1970); None if not, or if that one had recorded no sound.
    """

    missing_from_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingState:
    """What all processes know of a call's recording. `recorder` is the instance that records it now; empty: none does.

    `switched_off`: somebody has stopped it. `stored`: the store has parts of it. Parts that began before `deleted_at_ms` (since 1970; 0:
    never) are deleted, in the store once `swept`. `heard_from_ms` is when the latest recording began to have sound (0: it had none).
    """

    call_id: str
    recorder: str = ""
    switched_off: bool = False
    stored: bool = False
    deleted_at_ms: int = 0
    swept: bool = True
    heard_from_ms: int = 0

    @property
    def unstored(self) -> bool:
        """True if the call was recorded, and nothing of that is in the store. It waits on the machine that recorded it."""
        return not self.recorder and not self.stored and self.heard_from_ms > self.deleted_at_ms


class EventKind(StrEnum):
    """What endpoints are sent events about."""

    CREATED = "call.created"
    STATUS = "call.status"
    ENDED = "call.ended"
    UPDATED = "call.updated"
    """The cost, summary, analysis or ended reason of an ended call came, or changed."""
    TRANSCRIPT = "call.transcript"
    """The transcript of an ended call was written, or written anew."""
    MEASURES = "call.measures"
    """The call ended, and its conversation was measured. Comes again if figures come after the end."""
    MEASURES_LIVE = "call.measures.live"
    """The figures of a conversation that goes on have changed: only for endpoints that name it, at most every 5 s of sound."""
    RECORDING = "call.recording"
    """A recording, or a part of one, is finished."""
    ALERT = "call.alert"
    """One of the owner's rules applied to a call."""
    ERASED = "call.erased"
    """The data of a call was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where events are sent. It gets events of these `kinds`; empty: of all but MEASURES_LIVE. `disabled_at` is when its receiver answered
    that it is gone, or when somebody disabled it. `waiting` events are still to be sent, the oldest of which happened at `waiting_since`.
    `secret` signs them; `url` may hold secrets too.
    """

    id: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    kinds: tuple[EventKind, ...]
    made_at: datetime
    made_by: str
    disabled_at: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """The receiver accepted it in none of the attempts of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event for an endpoint. `call` is the call as it was then, if the event is about its state; of an alert, `alert`. `since` is when
    it was first to be sent, or to be sent again. `next_at` is None while it waits for an earlier event of its call. `status` is the HTTP
    status of the last attempt, `problem` what was wrong with it.
    """

    id: int
    endpoint: str
    kind: EventKind
    call_id: str
    at: datetime
    call: Call | None
    alert: Alert | None
    state: DeliveryState
    since: datetime
    attempts: int
    next_at: datetime | None
    status: int | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what, when, and with which outcome. No text may hold a key or a listen or control URL.

    `outcome` is a call's status, an error's code, or a few words. `detail` is what was said, where a call was transferred to, or why
    dialling was stopped. `words` is the explanation of a refusal. Times and texts are as the database can store them.
    """

    at: datetime
    who: str
    action: str
    outcome: str
    call_id: str | None = None
    to: str | None = None
    detail: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", time_of(milliseconds(self.at)))
        object.__setattr__(self, "detail", storable(self.detail))
        object.__setattr__(self, "words", storable(self.words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether dials can be written down. `trouble` is why not, in a sentence, and `since` is when that began.

    `waiting` facts are not written yet, the oldest since `waiting_since`; among them are `rejected` ones, which the database does not
    accept though it works. `taken` slots are taken, `abandoned` of them by dials of unknown outcome that nobody searches for any more.
    """

    trouble: str | None = None
    since: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    rejected: int = 0
    taken: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What insights count of a conversation: the median time until the assistant answers, None if it has not answered; how often the
    assistant interrupted the customer, and the customer the assistant."""

    response_ms: int | None = None
    interrupted: int = 0
    barged_in: int = 0
