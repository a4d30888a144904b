"""What the address of the insights page asks for, and addresses of the page and of the calls behind a number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.domain.insights import LONGEST_DAYS, Period
from services.support.root_path import address

BEFORE = "before"
"""Compare with as many days before."""
_DEFAULT_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A period, of one assistant or squad or caller ID, and what to compare with: nothing, BEFORE, or the id of another assistant."""

    period: Period
    speaker: str = ""
    caller: str = ""
    compare: str = ""

    @property
    def other(self) -> "Asked | None":
        """What to compare with."""
        if not self.compare:
            return None
        if self.compare == BEFORE:
            return replace(self, period=self.period.before(), compare="")
        return replace(self, speaker=self.compare, compare="")

    def page(self, first: date, last: date) -> str:
        """The address of this page for other days."""
        days = {"from": first.isoformat(), "to": last.isoformat()}
        return _address("/insights", **days, assistant=self.speaker, caller=self.caller, compare=self.compare)

    def calls(
        self, first: date | None = None, last: date | None = None, *, family: str = "", speaker: str = "", caller: str = "", alert: str = ""
    ) -> str:
        """The address of the list of the calls behind a number."""
        first, last = first or self.period.first, last or first or self.period.last
        days = {"since": first.isoformat(), "until": last.isoformat()}
        return _address("/", **days, family=family, assistant=speaker or self.speaker, caller=caller or self.caller, alert=alert)

    def csv(self) -> str:
        days = {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        return _address("/insights.csv", **days, zone=zone_name(self), assistant=self.speaker, callerId=self.caller)


def read_asked(query: Mapping[str, str], zone: str) -> Asked:
    """Reads an address. What is not valid counts as not there."""
    where = _zone(zone)
    today = datetime.now(where).date()
    last = _day(query.get("to", "")) or today
    first = _day(query.get("from", "")) or last - timedelta(days=_DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        first = last - timedelta(days=_DEFAULT_DAYS - 1)
    speaker, caller, compare = (_id(query.get(name, "")) for name in ("assistant", "caller", "compare"))
    return Asked(period=Period(first=first, last=last, zone=where), speaker=speaker, caller=caller, compare=compare)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a browser may know more of them than this machine
        return ZoneInfo("UTC")


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1971 <= day.year <= datetime.now(UTC).year + 1 else None


def _id(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) else ""


def zone_name(asked: Asked) -> str:
    return str(getattr(asked.period.zone, "key", "UTC"))


def _address(path: str, **values: str) -> str:
    return f"{address(path)}?{urlencode({name: value for name, value in values.items() if value})}"
