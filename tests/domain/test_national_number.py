"""A number without a country code is read as its country dials it, and whatever is not sure is not called certain."""

import pytest

from services.domain.national_number import NationalNumber, browser_region, national_in, read_national


@pytest.mark.parametrize(
    ("text", "regions", "e164", "region"),
    [
        ("(415) 555-2671", ["US"], "+14155552671", "US"),
        ("415.555.2671", ["US"], "+14155552671", "US"),
        ("1-415-555-2671", ["US"], "+14155552671", "US"),
        ("4155552671", ["US", "FR"], "+14155552671", "US"),
        ("0170 1234567", ["DE"], "+491701234567", "DE"),
        ("０１７０ １２３４５６７", ["DE"], "+491701234567", "DE"),
        ("030/901820", ["DE", "DE"], "+4930901820", "DE"),
        ("06 12 34 56 78", ["FR"], "+33612345678", "FR"),
        ("02 1234 5678", ["IT"], "+390212345678", "IT"),
        ("8 (912) 345-67-89", ["RU"], "+79123456789", "RU"),
        ("(416) 555-0123", ["US"], "+14165550123", "CA"),
        ("011 49 170 1234567", ["US"], "+491701234567", "DE"),
        ("8 10 49 170 1234567", ["RU"], "+491701234567", "DE"),
    ],
)
def test_it_is_read_as_its_country_dials_it(text: str, regions: list[str], e164: str, region: str) -> None:
    assert read_national(text, regions) == NationalNumber(e164, region, certain=True)


@pytest.mark.parametrize(
    ("text", "regions", "e164"),
    [
        ("0170 1234567", ["US", "DE"], "+491701234567"),  # only the browser's country has it
        ("(415) 555-2671", [None, "US"], "+14155552671"),  # the caller ID's country is not known
        ("06 12 34 56 78", ["FR", "DE"], "+33612345678"),  # both have it, and it is somebody else's there
    ],
)
def test_what_could_mean_another_number_is_a_guess(text: str, regions: list[str | None], e164: str) -> None:
    reading = read_national(text, regions)
    assert reading is not None
    assert (reading.e164, reading.certain) == (e164, False)


@pytest.mark.parametrize(
    "text",
    [
        *("", "+14155552671", "+49 30 901820", "0049 30 901820", "911", "112", "12345", "555-2671", "hello", "1-800-FLOWERS"),
        *("415 555 2671 ext. 5", "415 555 2671 or 415 555 2672", "(415) 555-267", "0" * 15, "415\x00555"),
        *("415 555 2671 0", "491701234567", "44 20 7946 0958"),
    ],
)
def test_what_is_no_national_number_is_not_read(text: str) -> None:
    assert read_national(text, ["US", "DE"]) is None


def test_without_a_country_nothing_is_read() -> None:
    assert read_national("(415) 555-2671", []) is None
    assert national_in("Call me on (415) 555-2671", []) is None


def test_the_number_in_a_sentence_stays_as_it_was_written() -> None:
    assert national_in("Call me on (415) 555-2671, after six", ["DE", "US"]) == "(415) 555-2671"
    assert national_in("Ruf an: 0170 1234567!", ["US", "DE"]) == "0170 1234567"
    assert national_in("(415) 555-2671 or (415) 555-2672", ["US"]) is None
    assert national_in("(415) 555-2671 ext. 12", ["US"]) is None
    assert national_in("Nothing here", ["US"]) is None


@pytest.mark.parametrize(
    ("accepted", "region"),
    [
        *(("de-DE,de;q=0.9,en-US;q=0.8", "DE"), ("de,en-GB;q=0.5", "GB"), ("zh-Hant-TW", "TW"), ("en-us", "US")),
        *(("de", None), ("", None), ("en-ZZ", None), ("es-419,es", None), ("*;q=1", None)),
    ],
)
def test_the_browsers_country(accepted: str, region: str | None) -> None:
    assert browser_region(accepted) == region
