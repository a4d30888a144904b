"""What Call asks before it dials, and what the user has said yes to. An answer holds for one number, and for nothing that was not asked."""

from services.domain.phone_number import as_typed


class Questions:
    """At most one question is open at a time, known by its code (`number_unlikely`)."""

    def __init__(self) -> None:
        self._number = ""
        self._rest = ""
        self._open: str | None = None
        self._agreed: set[str] = set()

    @property
    def shown(self) -> str:
        """The open question with its number, as the button that says yes carries it; "" if none is open."""
        return f"{self._open} {self._number}" if self._open else ""

    def about(self, number: str, rest: str = "") -> None:
        """Names the number, as typed or as read, that the questions are about, and what else the call consists of: who speaks, and the
        options. Another call than before has no answers yet. The same digits grouped in another way are the same number: the field may
        group them between the press that asked and the one that says yes."""
        number = as_typed(number)
        if (number, rest) != (self._number, self._rest):
            self.forget()
            self._number, self._rest = number, rest

    def forget(self) -> None:
        """Drops the question and all answers: they hold for one dial."""
        self._open = None
        self._agreed.clear()

    def ask(self, code: str | None) -> None:
        """This question is shown now; None if there is none."""
        self._open = code

    def agree(self, shown: str) -> bool:
        """The user has said yes to `shown`. False, and no answer, if another question is open by now, or none."""
        if not self._open or shown != self.shown:
            return False
        self._agreed.add(self._open)
        return True

    def agreed(self, code: str) -> bool:
        """True if the user has said yes to this question about this number."""
        return code in self._agreed
