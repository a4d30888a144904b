"""Contacts in the journal: the same for all processes, and found by name and number."""

import asyncio

import pytest

from services.desk.lists import contacts as desk_contacts
from services.desk.lists.contacts import Contacts
from services.domain.client import PAGE
from services.domain.contact import Contact
from services.domain.errors import RequestError
from services.journal import Journal
from tests.journals import open_journal
from tests.patience import HANG_S

ANA = Contact(number="+14155552671", name="Ana Flores", note="prefers mornings")
ZOE = Contact(number="+442079460958", name="Zoë Park")


async def of(journal: Journal, noted: list[str]) -> Contacts:
    def note(_client: object, action: str, **more: str) -> "asyncio.Task[None]":
        noted.append(" ".join((action, *more.values())))
        return asyncio.create_task(asyncio.sleep(0))

    contacts = Contacts(journal, note)
    await contacts.load()
    return contacts


async def test_what_is_added_is_there_for_others_and_after_a_restart(url: str) -> None:
    ours, theirs = await open_journal(url), await open_journal(url)
    noted: list[str] = []
    try:
        here, there = await of(ours, noted), await of(theirs, [])
        heard = asyncio.Event()
        there.changed.subscribe(lambda _: heard.set())
        await theirs.follow(lambda news: there.follow(*news.states[desk_contacts.STATE]) if desk_contacts.STATE in news.states else None)
        await here.put(ANA, PAGE)
        async with asyncio.timeout(HANG_S):
            await heard.wait()
        assert there.name_of("+14155552671") == "Ana Flores"
        assert (await of(ours, [])).all() == [ANA]
        assert noted == ["put-contact"]  # no name, no number
    finally:
        await ours.aclose()
        await theirs.aclose()


async def test_a_deleted_contact_is_gone_from_the_journal(url: str) -> None:
    journal = await open_journal(url)
    noted: list[str] = []
    try:
        contacts = await of(journal, noted)
        await contacts.add_all([ANA, ZOE], PAGE)
        assert await contacts.remove(ANA.number, PAGE)
        assert not await contacts.remove(ANA.number, PAGE)
        assert contacts.name_of(ANA.number) == ""
        assert "Ana" not in (await journal.state(desk_contacts.STATE))[0]
        assert noted == ["import-contacts 2", "delete-contact"]
    finally:
        await journal.aclose()


async def test_a_change_of_the_number_leaves_one_contact_and_an_import_changes_none(url: str) -> None:
    journal = await open_journal(url)
    try:
        contacts = await of(journal, [])
        await contacts.put(ANA, PAGE)
        await contacts.put(Contact(number=ZOE.number, name="Ana Flores"), PAGE, instead_of=ANA.number)
        assert [one.number for one in contacts.all()] == [ZOE.number]
        assert await contacts.add_all([ZOE, ANA], PAGE) == 1
        assert contacts.name_of(ZOE.number) == "Ana Flores"
    finally:
        await journal.aclose()


async def test_names_and_numbers_are_found(url: str) -> None:
    journal = await open_journal(url)
    try:
        contacts = await of(journal, [])
        await contacts.add_all([ZOE, ANA], PAGE)
        assert contacts.all() == [ANA, ZOE]
        for text, found in {"zoe": [ZOE], "flor an": [ANA], "+1 (415)": [ANA], "79460": [ZOE], "": [], "nobody": [], "4 u": []}.items():
            assert contacts.find(text, most=5) == found, text
        assert contacts.find("a", most=1) == [ANA]
    finally:
        await journal.aclose()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_there_can_be_only_so_many(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_contacts, "MOST_CONTACTS", 1)
    journal = await open_journal(url)
    noted: list[str] = []
    try:
        contacts = await of(journal, noted)
        with pytest.raises(RequestError, match="at most"):
            await contacts.add_all([ANA, ZOE], PAGE)
        assert contacts.all() == []
        assert noted == []
        await contacts.put(ANA, PAGE)
        with pytest.raises(RequestError):
            await contacts.put(ZOE, PAGE)
        await contacts.put(Contact(number=ANA.number, name="Ana"), PAGE)
        assert contacts.name_of(ANA.number) == "Ana"
    finally:
        await journal.aclose()
