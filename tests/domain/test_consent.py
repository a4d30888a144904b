"""The owner's rules on recording, and how the journal keeps them."""

import pytest

from services.domain.consent import SENTENCES, RecordingMode, RecordingRules, checked, parse
from services.domain.errors import RequestError

RULES = checked("announce", {"DE": "ask", "AT": "off", "US": "allowed"}, {"de": " Wir nehmen auf. ", "en": ""})


def test_the_strictest_rule_counts() -> None:
    assert RULES.mode(["DE"]) is RecordingMode.ASK
    assert RULES.mode(["US"]) is RecordingMode.ALLOWED
    assert RULES.mode(["FR"]) is RULES.mode([]) is RecordingMode.ANNOUNCE
    assert RULES.mode(["US", "CA"]) is RecordingMode.ANNOUNCE  # a number of +1 that no plan knows
    assert RULES.mode(["DE", "AT", "US"]) is RecordingMode.OFF
    assert RecordingRules().mode(["DE"]) is RecordingMode.ALLOWED


def test_a_sentence_is_the_owners_in_the_first_language_that_has_one() -> None:
    assert RULES.sentence(["de", "fr"]) == "Wir nehmen auf."
    assert RULES.sentence(["rm", "fr"]) == SENTENCES["fr"]
    assert RULES.sentence([]) == RULES.sentence(["ja"]) == SENTENCES["en"]


def test_they_are_read_back_as_they_were_written() -> None:
    assert parse(RULES.dump()) == RULES
    assert parse("") == RecordingRules()


@pytest.mark.parametrize("text", ["{", "[]", "{}", RULES.dump().replace("announce", "never"), RULES.dump().replace("ask", "x")])
def test_rules_that_can_t_be_read_let_nothing_be_recorded(text: str) -> None:
    assert parse(text).mode(["US"]) is RecordingMode.OFF


@pytest.mark.parametrize(
    ("default", "regions", "sentences", "field"),
    [
        ("never", {}, {}, "default"),
        ("off", {"DE": "never"}, {}, "regions.DE"),
        ("off", {"Germany": "off"}, {}, "regions"),
        ("off", {}, {"German": "Hallo"}, "sentences"),
        ("off", {}, {"de": "a\nb"}, "sentences.de"),
        ("off", {}, {"de": "a" * 301}, "sentences.de"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_field(default: str, regions: dict[str, str], sentences: dict[str, str], field: str) -> None:
    with pytest.raises(RequestError) as refused:
        checked(default, regions, sentences)
    assert [error.field for error in refused.value.errors] == [field]
