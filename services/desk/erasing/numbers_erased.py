"""When a number was last erased, by any process, so that memory keeps no more of what Vapi writes afterwards than the journal does."""

from services.dialling.journal_states import FollowedState, States
from services.domain.call import Call
from services.journal.database.hidden_texts import ERASED_AT, hidden


class NumbersErased(FollowedState):
    def __init__(self, journal: States) -> None:
        super().__init__(journal, ERASED_AT)
        self._at_ms = 0

    def _read(self, value: str) -> None:
        self._at_ms = int(value or 0)

    def hidden(self, call: Call) -> Call:
        """The call with all numbers masked in Vapi's texts, if it is from before a number was erased."""
        return hidden(call, self._at_ms)
