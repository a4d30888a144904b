"""Contacts: names of numbers. They are in the journal, common to all processes, and copied here."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice

from services.dialling.journal_states import FollowedState, States
from services.domain.client import Client, Scope
from services.domain.contact import MOST_CONTACTS, Contact, dumped, folded, loaded, too_many
from services.domain.permissions import require

STATE = "contacts"
"""The name of the state in the journal."""


class Contacts(FollowedState):
    """`note` writes the audit, which says who changed contacts, but no name and no number of theirs.

    `changed` tells that a contact was added, changed or deleted, in whichever process.
    """

    def __init__(self, journal: States, note: Callable[..., "asyncio.Task[None]"]) -> None:
        super().__init__(journal, STATE)
        self._note = note
        self._contacts: dict[str, Contact] = {}
        self._by_name: list[tuple[str, Contact]] = []
        """With their folded names, since folding thousands at each keystroke takes long."""

    def _read(self, value: str) -> None:
        self._contacts = loaded(value)
        named = ((folded(contact.name), contact) for contact in self._contacts.values())
        self._by_name = sorted(named, key=lambda one: one[0])

    def all(self) -> list[Contact]:
        """By name."""
        return [contact for _, contact in self._by_name]

    def name_of(self, number: str | None) -> str:
        """The name of a number in E.164; empty if it is nobody's."""
        contact = self._contacts.get(number or "")
        return contact.name if contact else ""

    def find(self, text: str, *, most: int) -> list[Contact]:
        """The contacts whose name has all words of `text`, or whose number has its digits, by name."""
        words = folded(text).split()
        digits = "" if any(map(str.isalpha, text)) else "".join(filter(str.isdecimal, text))
        if not words:
            return []
        found = (contact for name, contact in self._by_name if (digits and digits in contact.number) or all(word in name for word in words))
        return list(islice(found, most))

    async def put(self, contact: Contact, client: Client, *, instead_of: str | None = None) -> None:
        """Adds a contact, or changes the one with its number. With `instead_of` the contact of that number goes. Raises RequestError if
        there are too many, JournalError."""

        require(client, Scope.CALL)

        def change(known: dict[str, Contact]) -> dict[str, Contact]:
            kept = {number: one for number, one in known.items() if number != instead_of}
            return kept | {contact.number: contact}

        await self._change(change)
        self._note(client, "put-contact")

    async def add_all(self, contacts: Iterable[Contact], client: Client) -> int:
        """Adds contacts, all at once. The ones that are known by their number stay as they are. Returns how many are new. Raises
        RequestError if there are too many, JournalError."""
        require(client, Scope.CALL)
        new = {contact.number: contact for contact in contacts}
        added = 0

        def change(known: dict[str, Contact]) -> dict[str, Contact]:
            nonlocal added
            added = len(new.keys() - known.keys())
            return new | known

        await self._change(change)
        self._note(client, "import-contacts", detail=str(added))
        return added

    async def remove(self, number: str, client: Client) -> bool:
        """Deletes the contact of a number; False if there is none. Raises JournalError."""
        require(client, Scope.CALL, Scope.MANAGE)  # erasing a number deletes its contact
        there = False

        def change(known: dict[str, Contact]) -> dict[str, Contact]:
            nonlocal there
            there = number in known
            return {key: one for key, one in known.items() if key != number}

        await self._change(change)
        if there:
            self._note(client, "delete-contact")
        return there

    async def _change(self, change: Callable[[dict[str, Contact]], dict[str, Contact]]) -> None:
        def changed(value: str) -> str:
            known = loaded(value)
            after = change(known)
            if len(after) > max(MOST_CONTACTS, len(known)):
                raise too_many()
            return dumped(after.values())

        await self._change_state(changed)
