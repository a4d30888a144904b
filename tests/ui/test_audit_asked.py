"""What an address may ask the audit page for."""

import pytest

from ui.audit.asked import LONGEST_CALL, LONGEST_WHO, Asked, read_asked


def test_what_an_address_asks_for() -> None:
    asked = read_asked({"who": " Ana & Ben ", "call": "abc", "before": "51", "other": "x"})
    assert asked == Asked(who="Ana & Ben", call="abc", before=51)
    assert asked.page() == "/audit?who=Ana+%26+Ben&call=abc"
    assert asked.page(before=7) == "/audit?who=Ana+%26+Ben&call=abc&before=7"
    assert asked.export("csv") == "/audit.csv?who=Ana+%26+Ben&callId=abc"
    assert asked.export("json") == "/audit.json?who=Ana+%26+Ben&callId=abc&before=51"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202eanA", "\ud800", "\0", "x" * (LONGEST_WHO + 1)], ids=ascii)
def test_what_is_no_plain_text_does_not_count(text: str) -> None:
    assert read_asked({"who": text, "call": text}) == Asked()
    assert read_asked({"who": "Ana", "call": "x" * (LONGEST_CALL + 1)}) == Asked(who="Ana")


@pytest.mark.parametrize(
    "text", ["-1", "0", "1e9", "0x1", " 7", "\u0661", "9" * 16, "9" * 5000, "1.5", "NaN"], ids=lambda text: ascii(text)[:20]
)
def test_what_is_no_number_of_an_entry_does_not_count(text: str) -> None:
    assert read_asked({"before": text}) == Asked()
