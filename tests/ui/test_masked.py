"""What a room sees of a number."""

import pytest

from services.domain.call import Call, CallStatus
from ui.words.calls import masked


@pytest.mark.parametrize(
    ("to", "shown"),
    [("+14155552671", "• •••-•••-••71"), ("+442079460958", "•• •• •••• ••58"), ("+1234567890", "• •••••••90")],
)
def test_only_the_last_two_digits_are_left(to: str, shown: str) -> None:
    assert masked(Call(id="call", status=CallStatus.IN_PROGRESS, to=to)) == shown


def test_nothing_of_an_address_is_left() -> None:
    assert masked(Call(id="call", status=CallStatus.IN_PROGRESS, sip_uri="sip:ana@pbx.example")) == "sip:•••"


def test_an_extension_is_not_shown() -> None:
    assert masked(Call(id="call", status=CallStatus.IN_PROGRESS, to="+14155552671", extension="1234")) == "• •••-•••-••71"
