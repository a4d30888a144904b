"""The numbers that were called last, offered under the field as one types."""

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError
from services.domain.phone_number import international
from ui.kit.markup import Box, Text

_LOOKED_AT = 100  # calls
_OFFERED = 8

ID = "recent-numbers"


class RecentNumbers:
    """A list that the number field names as its own; choosing one fills the field and dials nothing."""

    def __init__(self, *, desk: CallDesk) -> None:
        self._desk = desk
        self._shown: list[str] = []
        self._list = Box("datalist", id=ID)

    async def refresh(self) -> None:
        """Takes in the latest calls; a journal that can't be read costs the offer and no more."""
        try:
            calls = await self._desk.page_of_calls(limit=_LOOKED_AT)
        except EarshotError:
            return
        numbers = list(dict.fromkeys(call.to for call in calls if call.to and not call.inbound))[:_OFFERED]
        if numbers == self._shown or self._list.is_deleted:
            return
        self._shown = numbers
        self._list.clear()
        with self._list:
            for number in numbers:
                Text("option", value=international(number))
