"""The numbers that behave in a way of their own on the demo line, from the range that is kept for fiction (NANPA: 555-0100 to 555-0199)."""

from dataclasses import dataclass

EXAMPLE_NUMBER = "+1234567890"
"""The customary example in API documents: one digit short of a real number, and taken as it is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoNumber:
    """A number, what it is called, and what calling it shows. Times are in seconds, counted from the answer.

    `ring` is in multiples of the line's ring time, `unanswered` the endedReason of a call that nobody picks up,
    `ends` when and with which endedReason the call is over by itself.
    """

    number: str
    title: str
    shows: str
    ring: float = 1.0
    unanswered: str | None = None
    ends: tuple[float, str] | None = None
    drops_at: float | None = None
    stalls_at: float | None = None
    answer_lost: bool = False
    refuses_early: bool = False
    unannounced_48k: bool = False


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
        shows="It rings three times as long as usual, and nobody picks up.",
        ring=3.0,
        unanswered="customer-did-not-answer",
    ),
    DemoNumber(
        number="+12025550103",
        title="Voicemail",
        shows="A machine picks up; it is noticed after two seconds and the call ends.",
        ends=(2.0, "voicemail"),
    ),
    DemoNumber(
        number="+12025550104",
        title="Dropped stream",
        shows="Five seconds in, the connection breaks once without a goodbye, and the call goes on: who listens has to come back.",
        drops_at=5.0,
    ),
    DemoNumber(
        number="+12025550105",
        title="Stalled stream",
        shows="Five seconds in, no sound comes for two seconds, then all of it at once: nothing is lost.",
        stalls_at=5.0,
    ),
    DemoNumber(
        number="+12025550106",
        title="Lost answer",
        shows="Placing the call is answered with error 500, yet the call exists and goes on: it has to be found, not dialled again.",
        answer_lost=True,
    ),
    DemoNumber(
        number="+12025550107",
        title="No listening before the answer",
        shows="The stream can't be opened while it rings, only once somebody has picked up.",
        refuses_early=True,
    ),
    DemoNumber(
        number="+12025550108",
        title="48 kHz, unannounced",
        shows="The stream does not say its format, and it is 48 kHz, as calls in a browser seem to be: it has to be measured.",
        unannounced_48k=True,
    ),
)

_BY_NUMBER = {row.number: row for row in DEMO_NUMBERS}


def behaviour_of(number: str) -> DemoNumber:
    """How a call to `number` goes."""
    return _BY_NUMBER.get(number, ANYONE)
