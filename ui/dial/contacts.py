"""The dialog of contacts: the Python side of contacts.js."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.erasing.number_erasure import erase_number
from services.domain.contact import contact_of
from services.domain.contact_files import read_contacts
from services.domain.errors import EarshotError
from services.domain.phone_number import international
from ui.kit.following import follow
from ui.kit.given import fields_of, text_of
from ui.kit.markup import set_props
from ui.kit.visitor import visitor
from ui.words import say, text
from ui.words.faults import error_words

_MAX_FIELD = 1000  # characters
_NAMED = 5  # entries of a file that are named if they can't be read

_WORDS = {
    "title": "contacts",
    "name": "contact_name",
    "number": "number",
    "note": "contact_note",
    "add": "contact_add",
    "change": "contact_change",
    "cancel": "cancel",
    "search": "search",
    "import": "contacts_import",
    "useShort": "contact_choose",
    "editShort": "contact_edit_short",
    "removeShort": "delete",
    "removeMeans": "contact_remove_means",
    "removeContact": "contact_remove_contact",
    "removeAll": "contact_remove_all",
    "keep": "cancel",
    "noneFound": "none_found_title",
    "none": "contacts_none",
    "close": "close",
    "tooLarge": "contacts_too_large",
}


class Contacts(Element, component="contacts.js", dependencies=["../kit/fill.js"]):
    """Hidden until it is opened. `use` is called with the number of a contact that is to be called; it does not dial.

    `regions` are those whose numbers need no country code here.
    """

    def __init__(self, *, desk: CallDesk, use: Callable[[str], None], regions: Callable[[], Sequence[str | None]]) -> None:
        super().__init__()
        self._desk = desk
        self._regions = regions
        self._opened = False
        with_name = {key: text(f"contact_{key}") for key in ("edit", "remove")} | {"use": text("contact_call")}
        words = {key: say(name) for key, name in _WORDS.items()}
        set_props(self, words=words | with_name)
        self.on("opened", self._open)
        self.on("save", self._save)
        self.on("remove", self._remove)
        self.on("import", self._import)
        self.on("use", lambda event: use(_field(event.args)))
        follow(desk.contacts.changed, lambda _: self._show())

    def _open(self) -> None:
        self._opened = True
        self._show()

    def _show(self, **answer: str) -> None:
        if not self._opened:
            return
        contacts = [
            {"number": one.number, "written": international(one.number), "name": one.name, "note": one.note}
            for one in self._desk.contacts.all()
        ]
        self.run_method("show", contacts, answer)

    async def _save(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        fields = [_field(given.get(name)) for name in ("number", "name", "note")]
        try:
            contact = contact_of(*fields, regions=self._regions())
            await self._desk.contacts.put(contact, visitor(), instead_of=_field(given.get("changes")) or None)
        except EarshotError as error:
            self._show(problem=_reason(error))
        else:
            self._show(told=say("contact_saved", name=contact.name))

    async def _remove(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        number = _field(given.get("number"))
        name = self._desk.contacts.name_of(number)
        try:
            if given.get("calls") is True:
                outcome = await erase_number(self._desk, number, visitor())
                problem = say("contact_calls_left", count=outcome.failed) if outcome.failed else ""
                self._show(told=say("contact_erased", count=outcome.erased, name=name), problem=problem)
            else:
                await self._desk.contacts.remove(number, visitor())
                self._show(told=say("contact_removed", name=name))
        except EarshotError as error:
            self._show(problem=_reason(error))

    async def _import(self, event: GenericEventArguments) -> None:
        problem = ""
        try:
            # In a thread: a long file takes a second, in which nobody would hear their call.
            read = await asyncio.to_thread(read_contacts, text_of(event), self._regions())
            if read.refused:
                more = len(read.refused) - _NAMED
                names = ", ".join(read.refused[:_NAMED]) + (f" … (+{more})" if more > 0 else "")
                problem = say("contacts_refused", names=names)
            added = await self._desk.contacts.add_all(read.contacts, visitor()) if read.contacts else 0
        except EarshotError as error:
            self._show(problem=_reason(error))
        else:
            self._show(told=say("contacts_imported", count=added), problem=problem)


def _field(value: Any) -> str:
    return value[:_MAX_FIELD] if isinstance(value, str) else ""


def _reason(error: EarshotError) -> str:
    return error_words(error)[1]
