"""Counts durations in buckets, by label: what a histogram of Prometheus is made from."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Histogram:
    """`counts` has one number per bound and a last one for all longer durations, not cumulated; `total` is the sum in seconds."""

    counts: list[int]
    total: float = 0.0

    def cumulated(self, bounds: Sequence[float]) -> list[tuple[str, float]]:
        """Each bound as text, and how many durations were not longer; the last is `+Inf`."""
        count, found = 0, []
        for bound, here in zip((*(f"{bound:g}" for bound in bounds), "+Inf"), self.counts, strict=True):
            count += here
            found.append((bound, float(count)))
        return found


@dataclass(slots=True)
class Durations:
    """Histograms with the same `bounds` (seconds, ascending), one per label. May be filled on one thread and read on another."""

    bounds: Sequence[float]
    _by_label: dict[tuple[str, ...], Histogram] = field(default_factory=dict)

    def add(self, seconds: float, *label: str) -> None:
        histogram = self._by_label.get(label)
        if histogram is None:
            histogram = self._by_label[label] = Histogram([0] * (len(self.bounds) + 1))
        histogram.counts[bisect_left(self.bounds, seconds)] += 1
        histogram.total += seconds

    def add_all(self, others: "Durations") -> None:
        """Adds the counts of another one with the same bounds."""
        for label, histogram in others:
            here = self._by_label.setdefault(label, Histogram([0] * (len(self.bounds) + 1)))
            here.counts = [count + more for count, more in zip(here.counts, histogram.counts, strict=True)]
            here.total += histogram.total

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], Histogram]]:
        return iter(list(self._by_label.items()))
