"""What Call asks before it dials, and what the user has said yes to. An answer holds for one number, and for nothing that was not asked."""


class Questions:
    """At most one question is open at a time, known by its code (`number_unlikely`)."""

    def __init__(self) -> None:
        self._number = ""
        self._open: str | None = None
        self._agreed: set[str] = set()

    def about(self, number: str) -> None:
        """Names the number, as typed or as read, that the questions are about. Another one than before has no answers yet."""
        if number != self._number:
            self._number, self._open = number, None
            self._agreed.clear()

    def ask(self, code: str | None) -> None:
        """This question is shown now; None if there is none."""
        self._open = code

    def agree(self) -> None:
        """The user has said yes to the question that is shown."""
        if self._open:
            self._agreed.add(self._open)

    def agreed(self, code: str) -> bool:
        """True if the user has said yes to this question about this number."""
        return code in self._agreed
