"""A call's listen and control URLs. Whoever has one can hear or steer the call, so they are kept private and checked before use."""

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The two URLs of `call.monitor` as Vapi sent them, unchecked."""

    listen_url: str | None = field(default=None, repr=False)
    control_url: str | None = field(default=None, repr=False)


class MonitorBook:
    """The monitors of the last `size` calls seen."""

    def __init__(self, *, size: int = 1000) -> None:
        self._monitors: OrderedDict[str, Monitor] = OrderedDict()
        self._size = size

    def remember(self, call_id: str, body: Any) -> None:
        """Stores the URLs in `body`, Vapi's JSON of the call. URLs that are known already are kept if `body` has none."""
        monitor = body.get("monitor") if isinstance(body, dict) else None
        if not isinstance(monitor, dict):
            return
        known = self.get(call_id)
        self._monitors[call_id] = Monitor(
            listen_url=_url(monitor.get("listenUrl")) or known.listen_url,
            control_url=_url(monitor.get("controlUrl")) or known.control_url,
        )
        self._monitors.move_to_end(call_id)
        if len(self._monitors) > self._size:
            self._monitors.popitem(last=False)

    def get(self, call_id: str) -> Monitor:
        return self._monitors.get(call_id, Monitor())


_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def may_open(url: str, *, scheme: Literal["wss", "https"], base_url: str) -> bool:
    """True if `url` may be opened: on `*.vapi.ai` at port 443, or on the base URL's host and port; unencrypted only if the base URL is.

    Hosts of the EU region, `*.eu.vapi.ai`, are opened only if the base URL is in it, since each region has keys of its own.
    Stricter than URL parsers: if two parsers read a URL differently, one host could be checked and another one opened.
    """
    if not re.fullmatch(r"[!-\[\]-~]+", url):  # printable ASCII without the backslash, which browsers and httpx read as a slash
        return False
    try:
        parts, base = urlsplit(url), urlsplit(base_url)
        port, own_port = parts.port or _PORTS.get(parts.scheme), base.port or _PORTS.get(base.scheme)
    except ValueError:
        return False
    if "@" in parts.netloc or not parts.hostname:
        return False
    if parts.hostname == base.hostname:
        return port == own_port and (parts.scheme == scheme or (base.scheme == "http" and parts.scheme == scheme[:-1]))
    if parts.scheme != scheme or port != 443 or not re.fullmatch(r"([a-z0-9-]+\.)+vapi\.ai", parts.hostname):
        return False
    return not _in_eu(parts.hostname) or _in_eu(base.hostname or "")


def _in_eu(host: str) -> bool:
    return f".{host}".endswith(".eu.vapi.ai")


def _url(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
