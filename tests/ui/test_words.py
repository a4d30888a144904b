"""What the page makes of its catalogue."""

from services.support.words import ENGLISH, catalogue
from ui.words import dollars, joined, say


def test_names_are_joined_as_people_join_them() -> None:
    assert [joined(tuple("abc"[:count])) for count in (1, 2, 3)] == ["a", "a and b", "a, b, and c"]


def test_outside_a_page_texts_are_english() -> None:
    assert say("call") == catalogue(ENGLISH).texts["call"]


def test_prices_have_the_digits_that_are_asked_for() -> None:
    assert (dollars(0.126), dollars(0.0126, digits=3), dollars(1234.5)) == ("$0.13", "$0.013", "$1,234.50")
