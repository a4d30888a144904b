"""The numbers called last and the contacts, suggested below the field while typing."""

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError
from services.domain.phone_number import international
from ui.kit.markup import Box, Text, set_props

_MAX_CALLS = 100  # that are searched for numbers
_MAX_NUMBERS = 8
_MAX_CONTACTS = 8

ID = "recent-numbers"


class RecentNumbers:
    """A datalist for the number field, in which the browser finds numbers and names. Choosing one fills the field without dialling."""

    def __init__(self, *, desk: CallDesk) -> None:
        self._desk = desk
        self._recent: list[str] = []
        self._text = ""
        self._shown: list[tuple[str, str]] = []
        self._list = Box("datalist", id=ID)

    def look_for(self, text: str) -> None:
        """Suggests the contacts that have `text` in their name or number, besides the numbers called last."""
        self._text = text
        self._show()

    async def refresh(self) -> None:
        """Reads the latest calls. If the journal can't be read, the suggestions stay as they are."""
        try:
            calls = await self._desk.page_of_calls(limit=_MAX_CALLS)
        except EarshotError:
            return
        self._recent = list(dict.fromkeys(call.to for call in calls if call.to and not call.inbound))[:_MAX_NUMBERS]
        self._show()

    def _show(self) -> None:
        found = [contact.number for contact in self._desk.contacts.find(self._text, most=_MAX_CONTACTS)]
        numbers = [(number, self._desk.contacts.name_of(number)) for number in dict.fromkeys([*found, *self._recent])]
        if numbers == self._shown or self._list.is_deleted:
            return
        self._shown = numbers
        self._list.clear()
        with self._list:
            for number, name in numbers:
                set_props(Text("option", value=international(number)), label=name or None)
