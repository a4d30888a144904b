"""What Call asks before it dials, and what the user has said yes to. An answer holds for one number, and for nothing that was not asked."""

from services.domain.phone_number import as_typed


class Questions:
    """At most one question is open at a time, known by its code (`number_unlikely`)."""

    def __init__(self) -> None:
        self._number = ""
        self._rest = ""
        self._open: str | None = None
        self._other: str | None = None
        self._agreed: set[str] = set()

    @property
    def shown(self) -> str:
        """The open question with its number, as the button that says yes carries it; "" if none is open."""
        return self._named(self._open)

    @property
    def shown_other(self) -> str:
        """The other answer, if the question has two; "" otherwise."""
        return self._named(self._other)

    def _named(self, code: str | None) -> str:
        return f"{code} {self._number}" if code else ""

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
        self._open = self._other = None
        self._agreed.clear()

    def ask(self, code: str | None, other: str | None = None) -> None:
        """Notes which question is shown; None: none is. `other` is its other answer, if that leads to a call as well."""
        self._open, self._other = code, other

    def agree(self, shown: str) -> bool:
        """The user has said yes to `shown`. False, and no answer, if another question is open by now, or none."""
        for code in (self._open, self._other):
            if code and shown == self._named(code):
                self._agreed.add(code)
                return True
        return False

    def agreed(self, code: str) -> bool:
        """True if the user has said yes to this question about this number."""
        return code in self._agreed
