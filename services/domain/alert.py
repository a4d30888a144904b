"""Alerts: that a rule applied to a call, once for each rule and call. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime

from services.domain.rule import Rule, read_stored, readable, stored
from services.domain.text import clean_text

MOST_ALERTS = 100
"""Most alerts of one call, even if rules are added or replaced while it runs."""
LONGEST_SAID = 300
"""Characters of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`rule` is the rule as it was then. `amount` is what was measured, in the unit of `rule.above`; `said` the line with the keyword."""

    call_id: str
    rule: Rule
    at: datetime
    amount: float | None = None
    said: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.call_id, self.rule.id


def dump(alert: Alert) -> str:
    """All but the call, as text that `load` reads back to the same alert."""
    data = {"rule": stored(alert.rule), "at": alert.at.isoformat(), "amount": alert.amount, "said": alert.said}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def load(call_id: str, text: str) -> Alert | None:
    """What `dump` wrote; None if a newer version did, for a rule that this one does not know."""
    one = json.loads(text)
    if not readable(one["rule"]):
        return None
    return Alert(
        call_id=call_id,
        rule=read_stored(one["rule"]),
        at=datetime.fromisoformat(one["at"]),
        amount=one["amount"],
        said=one["said"],
    )


def without_quote(text: str) -> str:
    """What `dump` wrote, in whichever version, without the line with the keyword."""
    return json.dumps(json.loads(text) | {"said": ""}, ensure_ascii=False, separators=(",", ":"))


def quote(line: str) -> str:
    """A line as an alert shows it, cut if it is long."""
    return clean_text(line, most=LONGEST_SAID)
