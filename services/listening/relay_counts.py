"""The counts of a running relay, and its state."""

from dataclasses import dataclass, field
from typing import Literal

from services.support.durations import Durations
from services.support.loop_lag import BOUNDS

SoundState = Literal["ok", "starting", "lost"]
"""Whether calls can be heard. `starting`: again within seconds; `lost`: not until Earshot is restarted."""

DELAYS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


@dataclass(slots=True)
class RelayCounts:
    """`interruptions`: times that Vapi's sound was interrupted while a call ran. `dropped_bytes`: sound that slow listeners lost.

    `delays`: from the arrival of a frame of sound to its transmission to a listener. `lag`: how late the relay's loop runs due
    callbacks. Both in seconds.
    """

    interruptions: int = 0
    dropped_bytes: int = 0
    delays: Durations = field(default_factory=lambda: Durations(DELAYS))
    lag: Durations = field(default_factory=lambda: Durations(BOUNDS))

    def add(self, other: "RelayCounts") -> None:
        """Adds what another relay has counted."""
        self.interruptions += other.interruptions
        self.dropped_bytes += other.dropped_bytes
        self.delays.add_all(other.delays)
        self.lag.add_all(other.lag)
