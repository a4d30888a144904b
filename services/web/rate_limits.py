"""The headers `RateLimit` and `RateLimit-Policy`: how many more calls may be placed (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `calls` in any `seconds`. `name` identifies the quota in both headers."""

    name: str
    calls: int
    seconds: int


def hour_and_day(*, per_hour: int | None, per_day: int | None) -> tuple[Quota, ...]:
    """The quotas for these limits; None means no limit."""
    caps = (("hour", per_hour, 3600), ("day", per_day, 86_400))
    return tuple(Quota(name=name, calls=calls, seconds=seconds) for name, calls, seconds in caps if calls is not None)


def rate_limit_headers(quotas: Sequence[Quota], dialled: Sequence[datetime], now: datetime) -> dict[str, str]:
    """Both headers; empty without quotas. `dialled` are the times of the calls that count, oldest first.

    The windows slide: `r` is the number of calls left now, `t` the seconds until one more is free, when the oldest call that counts leaves
    the window. Without counted calls there is no `t`.
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
