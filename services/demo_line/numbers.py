"""Numbers that behave specially on the demo line, from the range reserved for fiction (NANPA: 555-0100 to 555-0199)."""

from dataclasses import dataclass

EXAMPLE_NUMBER = "+1234567890"
"""The usual example in API documents. It is one digit short of a real number, but accepted here."""

VOICEMAIL_AFTER_S = 4.0
"""Seconds from the answer until a voicemail is detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoNumber:
    """A number, its title, and what happens when it is called. Times are in seconds from the answer.

    `ring` is a multiple of the server's ring time. `unanswered` is the endedReason of a call that nobody picks up.
    """

    number: str
    title: str
    shows: str
    ring: float = 1.0
    unanswered: str | None = None
    drops_at: float | None = None
    stalls_at: float | None = None
    answer_lost: bool = False
    refuses_early: bool = False
    unannounced_48k: bool = False
    voicemail: bool = False


ANYONE = DemoNumber(number="any other number", title="Answered", shows="Someone picks up and moves an appointment, in 54 seconds.")

DEMO_NUMBERS = (
    DemoNumber(
        number="+12025550101",
        title="Busy",
        shows="The line is busy: the call ends without an answer.",
        unanswered="customer-busy",
    ),
    DemoNumber(
        number="+12025550102",
        title="No answer",
        shows="The phone rings three times as long as usual, and nobody picks up.",
        ring=3.0,
        unanswered="customer-did-not-answer",
    ),
    DemoNumber(
        number="+12025550103",
        title="Voicemail",
        shows="A machine picks up and greets. Vapi detects it after four seconds and hangs up, or does what the order says.",
        voicemail=True,
    ),
    DemoNumber(
        number="+12025550104",
        title="Dropped stream",
        shows="After five seconds the connection breaks once without a close frame. The call continues, and listeners must reconnect.",
        drops_at=5.0,
    ),
    DemoNumber(
        number="+12025550105",
        title="Stalled stream",
        shows="After five seconds no sound arrives for two seconds, then all of it at once. Nothing is lost.",
        stalls_at=5.0,
    ),
    DemoNumber(
        number="+12025550106",
        title="Lost answer",
        shows="Placing the call returns error 500 although the call exists. It must be found, not dialled again.",
        answer_lost=True,
    ),
    DemoNumber(
        number="+12025550107",
        title="No listening before the answer",
        shows="The stream can't be opened while the phone rings, only once somebody has picked up.",
        refuses_early=True,
    ),
    DemoNumber(
        number="+12025550108",
        title="48 kHz, unannounced",
        shows="The stream is 48 kHz, as calls in a browser seem to be, and does not announce its format, which must be measured.",
        unannounced_48k=True,
    ),
)

_BY_NUMBER = {row.number: row for row in DEMO_NUMBERS}


def behaviour_of(number: str) -> DemoNumber:
    """How a call to `number` behaves."""
    return _BY_NUMBER.get(number, ANYONE)
