"""Contacts, and what is read from the files of address books."""

from unittest.mock import Mock

import pytest

from services.domain import contact_files
from services.domain.contact import LONGEST_NAME, MOST_CONTACTS, Contact, contact_of, dumped, loaded
from services.domain.contact_files import read_contacts
from services.domain.errors import NumberError, RequestError

ANA = Contact(number="+14155552671", name="Ana Flores")


@pytest.mark.parametrize("text", ["+1 (415) 555-2671", "001 415 555 2671", "tel:+1-415-555-2671"])
def test_a_number_is_kept_as_calls_have_it(text: str) -> None:
    assert contact_of(text, " Ana\n Flores\u200b ") == ANA


def test_a_national_number_is_taken_only_where_its_country_is_clear() -> None:
    assert contact_of("(415) 555-2671", "Ana Flores", regions=("US", None)) == ANA
    with pytest.raises(NumberError):
        contact_of("(415) 555-2671", "Ana Flores", regions=(None, "US"))
    with pytest.raises(NumberError):
        contact_of("415 555 2671", "Ana Flores")


def test_a_contact_needs_a_name_and_a_number() -> None:
    with pytest.raises(RequestError, match="name"):
        contact_of("+14155552671", " ")
    for number in ("", "+12", "Ana", "+0123456789", "+1415555267100000", "+" + 40 * "9"):
        with pytest.raises(NumberError):
            contact_of(number, "Ana")


def test_what_is_stored_is_read_back() -> None:
    contacts = [ANA, Contact(number="+442079460958", name="Zoë \u2028 “Z”", note="first\nsecond")]
    assert list(loaded(dumped(contacts)).values()) == contacts
    assert loaded("") == {}
    assert loaded('{"number": "+14155552671", "name": "Ana Flores", "photo": "later"}\n') == {ANA.number: ANA}


@pytest.mark.parametrize(
    "text",
    [
        "Name,Phone\nAna Flores,+1 415 555 2671\n",
        "\ufeffname;number;note\r\nAna Flores;+14155552671;\r\n",
        "Nachname\tVorname\tTelefon\nFlores\tAna\t+14155552671\n",
        "First Name,Last Name,Phone 1 - Type,Phone 1 - Value\nAna,Flores,Mobile,+1 415-555-2671\n",
        "Ana Flores,+14155552671\n",
        "+14155552671,Ana Flores\n",
        'Nom,Numéro\n"Ana Flores","+14155552671"\n',
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Flores;Ana;;;\r\nFN:Ana Flores\r\nTEL;TYPE=CELL:+1 415-555-2671\r\nEND:VCARD\r\n",
        "BEGIN:VCARD\nVERSION:4.0\nFN:Ana\n  Flores\nitem1.TEL;VALUE=uri:tel:+1-415-555-2671\nEND:VCARD\n",
        "BEGIN:VCARD\nVERSION:2.1\nN:Flores;Ana\nTEL;CELL:+14155552671\nEND:VCARD\n",
        "BEGIN:VCARD\nVERSION:2.1\nFN;ENCODING=QUOTED-PRINTABLE:Ana=20=\nFlores\nTEL:+14155552671\nEND:VCARD\n",
    ],
)
def test_a_contact_of_an_address_book(text: str) -> None:
    read = read_contacts(text)
    assert read.contacts == (ANA,)
    assert read.refused == ()


def test_several_numbers_notes_and_what_is_unclear() -> None:
    card = "BEGIN:VCARD\nFN:Ana\\, Flores\nTEL:+14155552671\nTEL:+442079460958\nNOTE:a\\nb\nEND:VCARD\n"
    read = read_contacts(card + "BEGIN:VCARD\nFN:Jo\nTEL:0170 1234567\nEND:VCARD\n")
    assert [(one.number, one.name, one.note) for one in read.contacts] == [
        ("+14155552671", "Ana, Flores", "a\nb"),
        ("+442079460958", "Ana, Flores", "a\nb"),
    ]
    assert read.refused == ("Jo",)
    assert read_contacts("Name,Phone\nJo,0170 1234567\n", ("DE", None)).contacts[0].number == "+491701234567"


@pytest.mark.parametrize("text", ["", "\n", "no contacts here", "BEGIN:VCARD", "\x00\x01,\x02", "Name,Phone\nAna\n"])
def test_a_file_without_contacts(text: str) -> None:
    assert read_contacts(text).contacts == ()


@pytest.mark.parametrize(
    "text",
    [
        "Name,Phone\rAna Flores,+14155552671\r",
        "BEGIN:VCARD\rFN:Ana Flores\rTEL:+14155552671\rEND:VCARD\r",
        "Name,Phone\nAna\ud800 \x1b\x00Flores\u202e,+14155552671\n",
        "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:Ana=00\udfff Flores\nTEL:+14155552671\nEND:VCARD\n",
    ],
)
def test_odd_line_ends_and_characters(text: str) -> None:
    assert read_contacts(text).contacts == (ANA,)


def test_nothing_that_steers_a_terminal_or_that_utf_8_lacks_is_kept() -> None:
    made = contact_of("+14155552671", "Ana\ud800 \x1b\x00Flores\u202e", "a\x1b\ud800\x00\u202e\nb")
    assert (made.name, made.note) == ("Ana Flores", "a\nb")


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(RequestError) as raised:
        read_contacts(f"Name,Phone\n{'x' * 200_000},+14155552671\n")
    assert raised.value.code == "unreadable_contacts"


@pytest.mark.parametrize("row", ["Jo,1\n", "Jo,+14155552671\n"])
@pytest.mark.slow
def test_a_file_is_read_no_further_than_there_can_be_contacts(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(wraps=contact_of)
    monkeypatch.setattr(contact_files, "contact_of", counted)
    with pytest.raises(RequestError) as raised:
        read_contacts("Name,Phone\n" + row * 90_000)
    assert raised.value.code == "too_many_contacts"
    assert counted.call_count == MOST_CONTACTS


def test_a_long_heading_is_cut() -> None:
    """Of 100,000 characters it held everything up for 20 s."""
    heading = "phone" * 20
    read = read_contacts(f'Name,"{heading}\nx"\nAna Flores,+14155552671\n')
    assert (read.contacts, read.refused) == ((ANA,), ())


def test_what_is_said_of_a_file_is_short() -> None:
    assert read_contacts(f"Name,Phone\n{'x' * 100_000},1\n").refused == ("x" * 100,)


@pytest.mark.slow
def test_a_long_name_is_looked_at_no_further_for_each_of_its_numbers() -> None:
    """A card of a megabyte with 5,000 numbers held a thread for a quarter of an hour."""
    numbers = "".join(f"TEL:+1415{2_000_000 + number}\n" for number in range(MOST_CONTACTS))
    read = read_contacts(f"BEGIN:VCARD\nFN:{'x' * 1_000_000}\n{numbers}END:VCARD\n")
    assert {contact.name for contact in read.contacts} == {"x" * LONGEST_NAME}
    assert len(read.contacts) == MOST_CONTACTS
