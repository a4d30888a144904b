"""The numbers called last, suggested below the field while typing."""

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError
from services.domain.phone_number import international
from ui.kit.markup import Box, Text

_MAX_CALLS = 100  # that are searched for numbers
_MAX_NUMBERS = 8

ID = "recent-numbers"


class RecentNumbers:
    """A datalist for the number field. Choosing a number fills the field without dialling."""

    def __init__(self, *, desk: CallDesk) -> None:
        self._desk = desk
        self._shown: list[str] = []
        self._list = Box("datalist", id=ID)

    async def refresh(self) -> None:
        """Reads the latest calls. If the journal can't be read, the suggestions stay as they are."""
        try:
            calls = await self._desk.page_of_calls(limit=_MAX_CALLS)
        except EarshotError:
            return
        numbers = list(dict.fromkeys(call.to for call in calls if call.to and not call.inbound))[:_MAX_NUMBERS]
        if numbers == self._shown or self._list.is_deleted:
            return
        self._shown = numbers
        self._list.clear()
        with self._list:
            for number in numbers:
                Text("option", value=international(number))
