"""`RateLimit` and `RateLimit-Policy`: how many calls may still be placed (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `calls` in any `seconds`. `name` is what both headers call it."""

    name: str
    calls: int
    seconds: int


def hour_and_day(*, per_hour: int | None, per_day: int | None) -> tuple[Quota, ...]:
    """The limits that Earshot has; None is no limit."""
    caps = (("hour", per_hour, 3600), ("day", per_day, 86_400))
    return tuple(Quota(name=name, calls=calls, seconds=seconds) for name, calls, seconds in caps if calls is not None)


def rate_limit_headers(quotas: Sequence[Quota], dialled: Sequence[datetime], now: datetime) -> dict[str, str]:
    """Both headers by their names; `dialled` are the times of the calls that count, oldest first. Without quotas there are none.

    The windows slide, so `r` calls are left now, and `t` is when there is room for one more: when the call that holds it grows too old,
    in seconds. Without a counted call there is no such time, and no `t`.
    """
    if not quotas:
        return {}
    return {
        "RateLimit": ", ".join(_state(quota, dialled, now) for quota in quotas),
        "RateLimit-Policy": ", ".join(f'"{quota.name}";q={quota.calls};w={quota.seconds}' for quota in quotas),
    }


def _state(quota: Quota, times: Sequence[datetime], now: datetime) -> str:
    window = timedelta(seconds=quota.seconds)
    first = bisect_right(times, now - window)
    count = len(times) - first
    left = max(0, quota.calls - count)
    state = f'"{quota.name}";r={left}'
    if quota.calls == 0:
        return f"{state};t={quota.seconds}"
    if not count:
        return state
    makes_room = times[first + max(0, count - quota.calls)]
    return f"{state};t={max(0, math.ceil((makes_room + window - now).total_seconds()))}"
