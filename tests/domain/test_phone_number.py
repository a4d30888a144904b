"""How numbers are grouped while they are typed, named, and masked."""

from services.domain.phone_number import as_dialled, as_typed, masked, region_name, region_of


def test_typing_is_grouped_and_named_as_it_grows() -> None:
    assert as_typed("+1415555") == "+1 415-555"
    assert as_typed("004930901820").startswith("+49 30")
    assert as_typed("hello") == "hello"
    assert as_typed("") == ""
    assert as_typed("+39 (0)6 1234567") == "+39 06 123 4567"
    assert region_of("+49") == "DE"
    assert region_of("+1") is None
    assert region_of("+14155552671") == "US"
    assert region_name("US") == "United States"
    assert region_name("DE", "de") == "Deutschland"
    assert region_name(None) == ""


def test_a_log_gets_four_digits_at_most() -> None:
    assert masked("+14155552671") == "…2671"


def test_a_number_that_is_too_long_is_never_cut_to_one_that_is_not() -> None:
    assert as_typed("+4930123456789012") == "+4930123456789012"


def test_what_is_dialled_only_inside_a_country_is_left_out() -> None:
    assert as_dialled("+541115 2345 6789".replace(" ", "")) == "+5491123456789"
    assert as_dialled("+490301234567") == "+49301234567"
    assert as_dialled("+4912") == "+4912"
    assert as_dialled("+0") == "+0"
