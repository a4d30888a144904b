"""What the address of the audit page asks for, and the addresses that it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from services.support.root_path import address

LONGEST_WHO = 100
LONGEST_CALL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Entries of one person and of one call, older than the entry `before`. Empty or None: not limited."""

    who: str = ""
    call: str = ""
    before: int | None = None

    def page(self, *, before: int | None = None) -> str:
        """The address of this page, for the newest entries or for older ones."""
        return _address("/audit", who=self.who, call=self.call, before=str(before or ""))

    def export(self, kind: str) -> str:
        """The address of all these entries as `csv`, or of this page of them as `json`."""
        before = str(self.before or "") if kind == "json" else ""
        return _address(f"/audit.{kind}", who=self.who, callId=self.call, before=before)


def read_asked(query: Mapping[str, str]) -> Asked:
    """Reads an address. Invalid values are ignored."""
    before = query.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else 0
    return Asked(who=_plain(query, "who", LONGEST_WHO), call=_plain(query, "call", LONGEST_CALL), before=number or None)


def _plain(query: Mapping[str, str], name: str, longest: int) -> str:
    text = query.get(name, "").strip()
    return text if text.isprintable() and len(text) <= longest else ""


def _address(path: str, **values: str) -> str:
    query = urlencode({name: value for name, value in values.items() if value})
    return address(f"{path}?{query}" if query else path)
