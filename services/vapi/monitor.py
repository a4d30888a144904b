"""A call's listen and control URLs. Whoever has one can hear or steer the call, so they are kept private and checked before use."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any


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


def _url(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
