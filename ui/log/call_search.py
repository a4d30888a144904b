"""The filters above the list of ended calls, and the link that exports the calls found."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from nicegui.element import Element

from services.domain.call import CallStatus
from services.domain.client import Scope
from services.support.root_path import address
from services.vapi.ended_reasons import Family
from ui.kit.given import fields_of
from ui.kit.later import later
from ui.kit.markup import Box, Text, set_props
from ui.kit.visitor import visitor_may, visitor_reads_reports
from ui.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Filters for ended calls. Without any, all are found. Times are UTC. `speaker` is the id of an assistant or squad, `caller` that of a
    caller ID, `alert` that of a rule that gave an alert, or ANY_RULE.
    """

    search: str = ""
    family: Family | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    speaker: str = ""
    caller: str = ""
    alert: str = ""

    def query(self) -> str:
        """The same filters as REST query parameters."""
        values = {
            "status": CallStatus.ENDED.value,
            "search": self.search,
            "family": self.family.value if self.family else "",
            "from": self.created_from.isoformat().replace("+00:00", "Z") if self.created_from else "",
            "to": self.created_to.isoformat().replace("+00:00", "Z") if self.created_to else "",
            "assistant": self.speaker,
            "callerId": self.caller,
            "alert": self.alert,
        }
        return urlencode({name: value for name, value in values.items() if value})

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Filters":
        """Reads what the browser sent. Invalid values count as not set."""
        family = str(fields.get("family", ""))
        return cls(
            search=str(fields.get("search", ""))[:100].strip(),
            family=Family(family) if family in set(Family) else None,
            created_from=_moment(fields.get("from")),
            created_to=_moment(fields.get("to")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFilters:
    """The filters that the page's address names: days of the reader's, from `first` to `last`, such as 2026-11-01."""

    first: str = ""
    last: str = ""
    family: str = ""
    speaker: str = ""
    caller: str = ""
    alert: str = ""

    @property
    def in_form(self) -> dict[str, str]:
        """Those that the form has fields for."""
        return {name: value for name, value in (("from", self.first), ("to", self.last), ("family", self.family)) if value}


def read_address(query: Mapping[str, str]) -> AddressFilters:
    """What is not valid counts as not there."""

    def found(name: str, pattern: str) -> str:
        value = query.get(name, "")
        return value if re.fullmatch(pattern, value, re.ASCII) else ""

    family = query.get("family", "")
    return AddressFilters(
        first=found("since", _DAY),
        last=found("until", _DAY),
        family=family if family in set(Family) else "",
        speaker=found("assistant", _ID),
        caller=found("caller", _ID),
        alert=found("alert", _ID),
    )


_DAY = r"\d{4}-\d\d-\d\d"
_ID = r"[A-Za-z0-9_-]{1,64}"


class SearchForm(Element, component="call_search.js"):
    """Emits `wanted` when a field changes. Days are sent as the moments at which they begin and end in the reader's time zone."""


class CallSearch:
    """The fields, shown once there are calls to search. Calls `changed` with the new filters."""

    def __init__(self, *, changed: Callable[[Filters], None], asked: AddressFilters) -> None:
        self._export: Text | None = None
        self._asked = asked
        self._form = SearchForm()
        self._form.on("wanted", lambda event: changed(Filters.read(fields_of(event))))
        if asked.in_form:
            set_props(self._form, initial=asked.in_form)
            self.show(export=Filters(), visible=True)
            later(self._form, lambda: self._form.run_method("tell"))  # what a page sends before it is connected is lost

    def show(self, *, export: Filters, visible: bool) -> None:
        if visible and self._export is None:
            self._export = self._build()
        if self._export:
            set_props(self._export, href=address(f"/calls.csv?{export.query()}"))
        self._form.set_visibility(visible)

    def _build(self) -> Text:
        """Builds the fields, and returns the export link."""
        with self._form:
            Box("input", name="search", type="search", maxlength=100, placeholder=say("search"), aria_label=say("search_label"))
            with Box(classes="filters"):
                with Box("select", name="family", aria_label=say("by_outcome")):
                    Text("option", say("any_outcome"), value="")
                    for family in Family:
                        Text("option", say(f"family_{family.name.lower()}"), value=family.value)
                export = Text("a", say("export"), "export", download="calls.csv", aria_label=say("export_label"))
                insights = Text("a", say("insights"), "export", href=address("/insights"))
                for link in (export, insights):
                    link.set_visibility(visitor_reads_reports())
                if visitor_may(Scope.MANAGE):
                    Text("a", say("audit"), "export", href=address("/audit"), data_testid="audit")
                with Box("details", "days", open=bool(self._asked.first or self._asked.last) or None):
                    Text("summary", say("days"))
                    for edge in ("from", "to"):
                        with Box("label", "day"):
                            Text("span", say(f"day_{edge}"))
                            Box("input", name=edge, type="date")
        return export


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
