"""Which telephone numbers may be reached at all, and how everything else is refused."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from services.dialling.reach import Reach
from services.domain.errors import NumberError
from services.domain.pasted_number import number_in
from services.domain.phone_number import EXAMPLE, PhoneNumber
from tests.dialling.dresses import as_people_write
from tests.dialling.oracle import REFUSED_KINDS, refused_examples
from tests.test_architecture import ROOT, imports


def code(text: str, *, unlikely: bool = True) -> str | None:
    """The code with which a number is refused; None for one that may be called."""
    try:
        Reach().number(text, unlikely=unlikely)
    except NumberError as error:
        return error.code
    return None


def transfer_code(text: str) -> str | None:
    try:
        Reach().destination(text)
    except NumberError as error:
        return error.code
    return None


def test_it_is_pure() -> None:
    for name in ("reach", "number_rules", "number_plan"):
        found = set(imports(ROOT / "services" / "dialling" / f"{name}.py"))
        assert {module.split(".")[0] for module in found} <= {"collections", "dataclasses", "functools", "phonenumbers", "re", "services"}
        ours = {".".join(module.split(".")[:2]) for module in found if module.startswith("services.")}
        assert ours <= {"services.domain", "services.dialling"}


@pytest.mark.parametrize(
    ("text", "e164", "region"),
    [
        ("+14155552671", "+14155552671", "US"),
        ("  +1 (415) 555-2671 ", "+14155552671", "US"),
        ("+49 (0)30 901820", "+4930901820", "DE"),
        ("0049 30 901820", "+4930901820", "DE"),
        ("+0049 30 901820", "+4930901820", "DE"),
        ("＋１４１５５５５２６７１", "+14155552671", "US"),
        ("\u202a+14155552671\u202c", "+14155552671", "US"),
        ("tel:+14155552671", "+14155552671", "US"),
        ("+49 30/901820", "+4930901820", "DE"),
        ("+39 06 1234567", "+39061234567", "IT"),
        ("+1 876 555 0100", "+18765550100", "JM"),
        ("+39 (0)6 1234567", "+39061234567", "IT"),
        ("0049 (0)30/901820", "+4930901820", "DE"),
        ("+49 \u0663\u0660 901820", "+4930901820", "DE"),
        ("+1 876 976 1234", "+18769761234", "JM"),
        ("(+49) 30 901820", "+4930901820", "DE"),
        ("(0049)30 901820", "+4930901820", "DE"),
        ("( +49 ) (0)30 901820", "+4930901820", "DE"),
        ("+49\u00b730\u00b7901820", "+4930901820", "DE"),
        ("TEL:+49-30-901820", "+4930901820", "DE"),
    ],
)
def test_understood(text: str, e164: str, region: str) -> None:
    number = Reach().number(text, unlikely=True)
    assert (number.e164, number.region) == (e164, region)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_number"),
        ("   ", "invalid_number"),
        ("+", "invalid_number"),
        ("hello", "invalid_number"),
        ("4155552671", "invalid_number"),
        ("+1234567890", "invalid_number"),
        ("+1415555267123456789", "invalid_number"),
        ("+" + "1" * 200, "invalid_number"),
        ("+999 123456789", "invalid_number"),
        ("<script>alert(1)</script>", "number_has_letters"),
        ("+1 800 FLOWERS", "number_has_letters"),
        ("+1 415 555 2671 ext 5", "number_has_extension"),
        ("+1 415 555 2671;ext=5", "number_has_extension"),
        ("+1 415 555 2671 x5", "number_has_extension"),
        ("+14155552671, +14155552672", "several_numbers"),
        ("+14155552671 +14155552672", "several_numbers"),
        ("+14155552671\n+14155552672", "several_numbers"),
        ("911", "emergency_number"),
        ("112", "emergency_number"),
        ("+1 911", "emergency_number"),
        ("+49 110", "emergency_number"),
        ("12345", "short_number"),
        ("+1 900 555 1234", "premium_rate_number"),
        ("+800 1234 5678", "international_service_number"),
        ("+979 1 2345 6789", "international_service_number"),
    ],
)
def test_refused_with_a_code_and_a_sentence(text: str, code: str) -> None:
    with pytest.raises(NumberError) as refused:
        Reach().number(text, unlikely=True)
    assert refused.value.code == code
    assert refused.value.detail.endswith((".", "?"))
    assert refused.value.errors[0].field == "to"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
def test_the_example_of_every_region_is_accepted(kind: int) -> None:
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        for style in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL):
            number = Reach().number(phonenumbers.format_number(example, style))
            assert number.e164 == e164, region
            assert number.likely, region
        tried += 1
    assert tried > 200


@pytest.mark.parametrize(
    "kind",
    [
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.UAN,
    ],
)
def test_every_example_of_a_refused_kind_is_refused(kind: int) -> None:
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, kind)
        # Some plans give the same number to two kinds; libphonenumber then names the first.
        if example is None or phonenumbers.number_type(example) != kind:
            continue
        with pytest.raises(NumberError):
            Reach().number(phonenumbers.format_number(example, PhoneNumberFormat.E164), unlikely=True)
        tried += 1
    assert tried > 0


def test_possible_but_in_no_plan_is_unlikely() -> None:
    assert not Reach().number("+1 555 010 0002", unlikely=True).likely


def test_the_customary_example_is_taken_only_where_it_is_allowed() -> None:
    assert Reach(also={EXAMPLE}).number("+1 234 567 890".replace(" ", "")).e164 == EXAMPLE
    with pytest.raises(NumberError):
        Reach().number(EXAMPLE, unlikely=True)


PEOPLE = [
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.VOIP,
    PhoneNumberType.VOICEMAIL,
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "regions"), [*zip(PEOPLE, [240, 240, 150, 30, 5], strict=True)])
def test_whatever_people_write_is_understood(kind: int, regions: int) -> None:
    tried = set()
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None or phonenumbers.number_type(example) not in (*PEOPLE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        for text in as_people_write(example):
            number = Reach().number(text)
            assert (number.e164, number.likely) == (e164, True), text
        for text in (e164, *list(as_people_write(example))[::7]):
            assert Reach().number(number_in(text)).e164 == e164, text
            assert Reach().destination(text).address == e164, text
        tried.add(region)
    assert len(tried) > regions


@pytest.mark.slow
def test_no_example_of_a_refused_kind_passes_with_digits_more_or_less() -> None:
    tried = 0
    for kind, e164 in refused_examples():
        shorter = [e164[:-1], e164[:-2]]
        for text in [e164, *shorter, *(e164 + more for more in ("0", "5", "9", "00", "23", "99", "123", "0000"))]:
            passed = None
            try:
                passed = Reach().number(text, unlikely=True)
            except NumberError:
                tried += 1
            # Numbers of several lengths begin alike: what the plan knows as a whole, and as another kind, may be called.
            assert passed is None or (passed.likely and phonenumbers.number_type(phonenumbers.parse(text, None)) not in REFUSED_KINDS), kind
    assert tried > 3000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+499001234567", "premium_rate_number"),
        ("+4990012345675", "premium_rate_number"),  # a digit too many
        ("+49900123456755555", "premium_rate_number"),
        ("+499001234567555555", "invalid_number"),
        ("+49 900 12345", "premium_rate_number"),
        ("+49 137", "invalid_number"),
        ("+353 1520123", "invalid_number"),  # on its way to a premium-rate number
        ("+81 60123456", "invalid_number"),  # on its way to a personal number
        ("+49 1 3712", "shared_cost_number"),
        ("+49 164", "invalid_number"),  # on its way to one that is shared-cost or premium-rate
        ("+49 900 2 123456", "premium_rate_number"),  # in a range that has nothing else
        ("+49 0900 1234567", "premium_rate_number"),
        ("+49 00900 1234567", "invalid_number"),
        ("+49 (0)0900 1234567", "premium_rate_number"),
        ("+49 49 900 1234567", "premium_rate_number"),
        ("+49 49 900 12345678", "premium_rate_number"),
        ("+49 030 901820", None),
        ("+49 0030 901820", "invalid_number"),
        ("+49 00 1 900 555 1234", "invalid_number"),
        ("+49 011 1 900 555", "invalid_number"),
        ("+49 011 1 900 555 1234", "invalid_number"),
        ("+49 1 900 1234567", "premium_rate_number"),
        ("+49 19 900 1234567", "premium_rate_number"),
        ("+7 8 808 128022", "personal_number"),  # a digit short, behind the prefix for trunk lines
        ("+1 011 44 909 8790", "invalid_number"),
        ("+011 44 909 879 0000", "invalid_number"),
        ("+1 1 900 555 1234", "premium_rate_number"),
        ("+1 900 155 1234", "premium_rate_number"),
        ("+1 212 976 1234", "premium_rate_number"),
        ("+1 416 976 1234", "premium_rate_number"),
        ("+1 212 975 1234", None),
        ("+1 500 555 1234", "personal_number"),
        ("+1 911 555 2671", "emergency_number"),
        ("+1 0911", "emergency_number"),
        ("+55 911 50170", "emergency_number"),
        ("+370 8 900 1231", "premium_rate_number"),  # a digit short, behind the prefix that Lithuania had until 2024
        ("+1 045 555 2671", "invalid_number"),
        ("+49 110 5555", "emergency_number"),
        ("+49 0110 5555", "emergency_number"),
        ("+49 112", "emergency_number"),
        ("+112", "emergency_number"),
        ("+911", "emergency_number"),
        ("00911", "emergency_number"),
        ("+49 911 1234567", None),  # Nuremberg
        ("+49 11880 1234", "short_number"),
        ("+44 118 500", "invalid_number"),
        ("110", "emergency_number"),
        ("９１１", "emergency_number"),
        ("1 1 2", "emergency_number"),
        ("116 117", "short_number"),
        ("+808 1234 5678", "international_service_number"),
        ("+870 773 111 632", "international_service_number"),
        ("+878 10 123456789012", "international_service_number"),
        ("+881 612 345 678", "international_service_number"),
        ("+882 16 12345678", "international_service_number"),
        ("+882 99 12345678", "international_service_number"),
        ("+883 5100 12345678", "international_service_number"),
        ("+888 123 456 789 01", "international_service_number"),
        ("+979 123 456 789", "international_service_number"),
        ("+999 123 456 789", "invalid_number"),
        ("+49 30 901820 \u0436 5", "invalid_number"),  # a letter of another script
        ("+49 30 901820 * 5", "invalid_number"),
        ("+49 30 901820 !", "invalid_number"),
    ],
)
def test_a_number_in_any_dress(text: str, expected: str | None) -> None:
    assert code(text) == expected


def test_a_caribbean_number_is_of_its_own_country() -> None:
    for text, region in [("+1 876 555 0100", "JM"), ("+1 809 234 5678", "DO"), ("+1 664 412 3456", "MS"), ("+1 268 464 1234", "AG")]:
        assert Reach().number(text).region == region
    assert Reach().number("+1 268 022 1234", unlikely=True).region == "AG"


@pytest.mark.parametrize("text", ["+1 555 010 0002", "+49 1999 123456", "+7 201 234 56 78"])
def test_an_unlikely_number_is_called_once_confirmed_and_never_transferred_to(text: str) -> None:
    assert code(text, unlikely=False) == "number_unlikely"
    assert code(text) is None
    assert transfer_code(text) == "number_unlikely"


def test_what_a_transfer_is_refused_for_names_its_field() -> None:
    for text in ("911", "+1 900 555 1234", "+1 555 010 0002"):
        with pytest.raises(NumberError) as refused:
            Reach().destination(text)
        assert refused.value.errors[0].field == "destination"


def test_a_transfer_by_number_leads_to_the_number_as_understood() -> None:
    found = Reach().destination("00 49 (0)30 / 901820")
    assert (found.address, found.number) == ("+4930901820", PhoneNumber(e164="+4930901820", region="DE"))


def test_an_unlikely_number_has_the_region_of_its_country_code_if_only_one_has_it() -> None:
    number = Reach().number("+493012", unlikely=True)
    assert (number.likely, number.region) == (False, "DE")


@pytest.mark.parametrize(
    ("text", "why"),
    [("+33512345", "too short"), ("+332123456789", "too long"), ("+86 123456", "looks like this")],
)
def test_an_impossible_number_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(NumberError, match=why):
        Reach().number(text, unlikely=True)


def test_a_transfer_to_an_unlikely_number_says_that_nothing_confirms_it() -> None:
    with pytest.raises(NumberError, match="calls are transferred only to numbers that are"):
        Reach().destination("+493012")
