"""The numbers of the charts as tables, for those who read rather than look. Made as one piece of HTML: a year has 365 rows."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from nicegui import ui

from services.domain.insights import Insights, Tally
from ui.insights.asked import Asked
from ui.insights.numbers import answered, cost, day_name, interruptions, minutes, number, of, rate, response
from ui.kit.markup import Box, Text
from ui.words import say
from ui.words.alerts import rule_words

Row = tuple[str, str, Tally]
"""A name, the address that it leads to, and the numbers."""

Column = tuple[str, Callable[[Tally], str]]
_COLUMNS: tuple[Column, ...] = (
    ("insights_calls", lambda tally: number(tally.calls)),
    ("insights_answered", answered),
    ("insights_rate", rate),
    ("insights_minutes", minutes),
    ("insights_cost", cost),
)
_MEASURED: tuple[Column, ...] = (("insights_response", response), ("insights_interruptions", interruptions))
"""Left out where nothing was measured."""


def days_table(found: Insights, asked: Asked) -> None:
    """Each day with calls, behind a summary."""
    rows = [(day_name(day.day), asked.calls(day.day), day.tally) for day in found.days if day.tally.calls]
    with Box("details", "insights-days"):
        Text("summary", say("insights_by_day"))
        _table(say("insights_day"), rows, say("insights_by_day"))


def sides_table(title: str, tallies: Mapping[str, Tally], names: Mapping[str, str], addresses: Mapping[str, str]) -> None:
    _table(say(title), [(names[id_], addresses[id_], tally) for id_, tally in tallies.items()], say(title))


def rules_table(found: Insights, asked: Asked) -> None:
    """How many calls each rule gave an alert of, of how many."""
    head = "".join(f'<th scope="col">{escape(say(name))}</th>' for name in ("insights_rule", "insights_alerted"))
    rows = ((rule_words(rule), asked.calls(alert=rule.id), of(calls, found.total.calls)) for rule, calls in found.rules)
    body = "".join(
        f'<tr><th scope="row"><a href="{escape(at)}">{escape(name)}</a></th><td>{escape(count)}</td></tr>' for name, at, count in rows
    )
    _html(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>", say("insights_by_rule"))


def comparison(this: Row, other: Row) -> None:
    """Two sets of calls side by side."""
    _table(say("insights_compared"), [this, other], say("insights_compared"))


def _table(first: str, rows: Sequence[Row], caption: str) -> None:
    columns = (*_COLUMNS, *_MEASURED) if any(tally.measured for _, _, tally in rows) else _COLUMNS
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in (first, *(say(name) for name, _ in columns)))
    body = "".join(f"<tr>{_row(columns, *row)}</tr>" for row in rows)
    _html(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>", caption)


def _html(rows: str, caption: str) -> None:
    # The only texts from outside are names and phrases, which are escaped.
    table = f'<table><caption class="sr-only">{escape(caption)}</caption>{rows}</table>'
    ui.html(table, sanitize=False).classes("insights-table").props["tabindex"] = "0"


def _row(columns: Sequence[Column], name: str, address: str, tally: Tally) -> str:
    named = f'<a href="{escape(address)}">{escape(name)}</a>' if address else escape(name)
    return f'<th scope="row">{named}</th>' + "".join(f"<td>{escape(write(tally))}</td>" for _, write in columns)
