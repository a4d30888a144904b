"""A number is found however it is written, and nothing else is taken for it."""

import json

import pytest

from services.domain.errors import NumberError
from services.domain.spellings import hide_numbers, spellings

AMERICAN, BERLIN, PARIS = "+14155552671", "+4930901820", "+33612342671"
NOBODYS = "+999123456789"  # no country has this code, but a caller may show it


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *(
            (AMERICAN, text)
            for text in (
                *("+14155552671", "14155552671", "4155552671", "+1 415-555-2671", "+1 (415) 555-2671", "(415) 555-2671"),
                *("415.555.2671", "1-415-555-2671", "0014155552671", "011 1 415 555 2671", "tel:+1-415-555-2671", "415 555\u00a02671"),
                *('{"to":"+14155552671"}', "415/555/2671", "sip:4155552671@pbx", "(+1) 415 555 2671", "41 55 55 26 71"),
            )
        ),
        *((BERLIN, text) for text in ("+49 30 901820", "030 901820", "0049 (0)30 901820", "+49 (0) 30 90 18 20", "030/901820", "30901820")),
        *((NOBODYS, text) for text in ("+999123456789", "00999123456789", "+99 91 23 45 67 89", "999123456789", "tel:+999-123456789")),
        *((PARIS, text) for text in ("06 12 34 26 71", "06.12.34.26.71", "+33 6 12 34 26 71", "0612342671", "0033612342671")),
    ],
)
def test_it_is_found_and_masked(number: str, text: str) -> None:
    found = spellings(number)
    assert any(part in text for part in found.parts)
    hidden = found.hide(f"Call {text}, please")
    assert found.mask in hidden
    assert not any(part in hidden for part in found.parts)


@pytest.mark.parametrize("text", ["+14155552672", "+141555526710", "84155552671", "1788256800000", "555-2671", "+14155552671 4"[:11], ""])
def test_other_digits_stay(text: str) -> None:
    assert spellings(AMERICAN).hide(text) == text


@pytest.mark.parametrize("text", ["", "x", "+", "+12", "+99912", "14155552671", "+x", "+9" * 9, "+999123456789\n", "…2671"])
def test_what_is_no_number_has_no_spellings(text: str) -> None:
    with pytest.raises(NumberError):
        spellings(text)


def test_a_short_number_needs_its_country_code() -> None:
    found = spellings("+49110123")  # six digits without it
    assert found.hide("110123") == "110123"
    assert found.hide("+49 110123 and 0110123") == "…0123 and …0123"


def test_all_numbers_of_a_text_are_masked() -> None:
    assert hide_numbers("from +14155552671 to +4930901820, +1 and +123456") == "from …2671 to …1820, +1 and +123456"


DANISH = spellings("+4520260901")


@pytest.mark.parametrize(
    "value",
    [
        '{"created_at":"2026-09-01T10:00:00.000Z","cost":20260.901}',
        '{"created_at":"2026-09-01T10:00:00.000+00:00"}',
        '{"day":"2026-09-01","latencies":[2026.0901, 20.260901]}',
        "2026-09-01T10:00:00.000+00:00",
    ],
)
def test_a_time_and_a_fraction_that_programs_read_again_are_no_number(value: str) -> None:
    assert DANISH.hide_stored(value) == value


@pytest.mark.parametrize("written", ['"20 26 09 01"', '"+45\\u00a020 26 09 01"', "20260901", '["at 2026-09-01"]', '{"20260901": 1}'])
def test_in_json_it_is_masked_and_the_json_can_still_be_read(written: str) -> None:
    line = f'{{"said":{written},"at":1788256800000}}'
    hidden = DANISH.hide_stored(f"{line}\n{line}\n")
    first, second, last = hidden.split("\n")
    assert (first, last) == (second, "")
    assert json.loads(first)["at"] == 1788256800000
    assert DANISH.mask in str(json.loads(first)["said"])
