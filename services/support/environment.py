"""Environment variables as a table: each with its name, its default, a parser and a line of help.

The rows are the fields of a frozen dataclass, so that a default is written once:

    port: int = setting("PORT", 8080, "Port to serve on", whole_number(1, 65_535))
"""

import dataclasses
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_SAME: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable. `parse` turns its text into the value or raises ValueError with a sentence that follows the name.

    `unset` is how a default that is empty reads. `demo_default` replaces the default on the demo line.
    """

    name: str
    help: str
    parse: Callable[[str], Any]
    unset: str
    default: Any
    demo_default: Any

    @property
    def shown_default(self) -> str:
        """The default in Markdown: values as code, `unset` as plain words."""
        shown = self._shown(self.default)
        return shown if self.demo_default == self.default else f"{shown}; on the demo line {self._shown(self.demo_default)}"

    def _shown(self, value: object) -> str:
        if isinstance(value, bool):
            return "`on`" if value else "`off`"
        if value is None or value in ("", frozenset(), ()):
            return self.unset
        return f"`{', '.join(sorted(value)) if isinstance(value, frozenset) else value}`"


def setting(
    name: str, default: T, help: str, parse: Callable[[str], T], *, unset: str = "none", secret: bool = False, demo_default: T = _SAME
) -> T:
    """A field of the dataclass. Secrets are kept out of its repr, so that none ends up in a log."""
    demo_default = default if demo_default is _SAME else demo_default
    variable = Variable(name=name, help=help, parse=parse, unset=unset, default=default, demo_default=demo_default)
    return dataclasses.field(default=default, repr=not secret, metadata={"variable": variable})


def comma_list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def whole_number(least: int, most: int = 999_999_999) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # isdigit alone is true for "²", which int() refuses.
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return text.lower()

    return parse


def on_or_off(text: str) -> bool:
    return one_of("on", "off")(text) == "on"


def markdown_table(variables: Iterable[Variable]) -> str:
    """The table as a README has it."""
    rows = [f"| `{variable.name}` | {variable.shown_default} | {variable.help} |" for variable in variables]
    return "\n".join(["| Variable | Default | What it is for |", "|---|---|---|", *rows])


def plain_table(variables: Iterable[Variable], width: int) -> str:
    """The table for a terminal of `width` columns."""
    rows = list(variables)
    left = 2 + max(len(variable.name) for variable in rows)

    def row(variable: Variable) -> str:
        text = f"{variable.help}. Default: {variable.shown_default}.".replace("`", "")
        return textwrap.fill(
            text, max(width, left + 30), initial_indent=variable.name.ljust(left), subsequent_indent=" " * left, break_on_hyphens=False
        )

    return "\n".join(row(variable) for variable in rows)


def variables_of(settings: type[Any]) -> dict[str, Variable]:
    """The variable of each field of such a dataclass."""
    return {field.name: field.metadata["variable"] for field in dataclasses.fields(settings)}
