"""What Vapi collected in a call, as a person reads it."""

from typing import Any

import pytest

from services.domain.call import Analysis, Call, CallStatus, Output
from ui.words.findings import collected


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (None, ""),
        ({}, ""),
        ({"moved": False, "day": "Monday", "guests": 2, "note": None}, "moved: no\nday: Monday\nguests: 2\nnote: –"),
        ({"address": {"city": "Wien", "lines": ["Ring 1", "Tür 2"]}}, "address, city: Wien\naddress, lines: Ring 1, Tür 2"),
        ({"dates": [{"day": "Monday"}, {"day": "Friday"}]}, "dates, 1, day: Monday\ndates, 2, day: Friday"),
        ("text alone", "text alone"),
        ([True, 1.5], "yes, 1.5"),
        ({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, 'a, b, c, d, e: {"f": 1}'),
    ],
)
def test_it_is_a_line_for_each_value(data: Any, lines: str) -> None:
    assert collected(Call(id="one", status=CallStatus.ENDED, analysis=Analysis(data=data))) == lines


def test_outputs_follow_under_their_names_and_nothing_stands_there_twice() -> None:
    outputs = (Output(name="Appointment", result={"moved": False}), Output(name="moved", result=False))
    found = Analysis(data={"moved": False}, outputs=outputs)
    assert collected(Call(id="one", status=CallStatus.ENDED, analysis=found)) == "moved: no\nAppointment, moved: no"
