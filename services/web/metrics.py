"""What Prometheus learns of this process: calls, dials, the journal's outbox, sound, Vapi, and how late the event loops are."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.errors import JournalError
from services.listening.live_sound import LiveSound
from services.listening.relay_counts import RelayCounts
from services.support.durations import Durations
from services.support.loop_lag import BOUNDS
from services.support.recent import remember
from services.vapi.ended_reasons import Family, family_of
from services.web.readiness import Readiness, readiness_of

if TYPE_CHECKING:
    from prometheus_client import Metric

_RUNNING = [status for status in CallStatus if status is not CallStatus.ENDED]
_REMEMBERED = 10_000  # running calls whose end will count


class Metrics:
    """Counts ends of calls from now on, and puts together the rest when it is asked for.

    Calls, their ends and slots are those of all processes on one journal; everything else is of this process.
    """

    def __init__(self, *, desk: CallDesk, relay: LiveSound, requests: Durations, version: str, mode: str) -> None:
        self.lag = Durations(BOUNDS)
        """For `measure_lag`, of the main event loop."""
        self._desk = desk
        self._relay = relay
        self._requests = requests
        self._build = {"version": version, "mode": mode}
        self._began = time.time()
        self._seen_running: dict[str, None] = {call.id: None for call in desk.calls() if call.running}
        self._ended: Counter[str] = Counter()
        desk.changed.subscribe(self._on_call)

    async def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        # Imported by whoever is asked for metrics, not by everybody who starts.
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
        from prometheus_client.registry import Collector

        families = [*self._families(await readiness_of(self._desk), await self._relay.counted()), *await self._outbox()]

        class _Families(Collector):
            def collect(self) -> Iterable["Metric"]:
                return families

        registry = CollectorRegistry()
        registry.register(_Families())
        ProcessCollector(registry=registry)
        return generate_latest(registry)

    def _on_call(self, call: Call) -> None:
        if call.running:
            remember(self._seen_running, call.id, None, most=_REMEMBERED)
        elif call.id in self._seen_running:  # not the calls of earlier processes whose cost was still awaited
            del self._seen_running[call.id]
            self._ended[family_of(call.ended_reason)] += 1

    def _families(self, found: Readiness, sound: RelayCounts) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        def gauge(name: str, what: str, value: float) -> "Metric":
            return GaugeMetricFamily(f"earshot_{name}", what, value=value)

        yield InfoMetricFamily("earshot_build", "The version, and whether it uses Vapi or the demo line.", value=self._build)
        yield gauge("ready", "1 if a dial could be placed now, as /health says.", float(found.obstacle is None))
        yield gauge("dialling_stopped", "1 while dialling is stopped.", float(self._desk.switch.state is not None))

        calls = GaugeMetricFamily("earshot_calls", "Calls without a confirmed end, by state.", labels=["state"])
        states = Counter(call.status for call in self._desk.calls() if call.running)
        for status in _RUNNING:
            calls.add_metric([status], states[status])
        yield calls
        ended = CounterMetricFamily("earshot_calls_ended", "Calls that ended while this process ran, by outcome.", labels=["outcome"])
        for family in Family:
            ended.add_metric([family], self._ended[family], created=self._began)
        yield ended
        dials = CounterMetricFamily(
            "earshot_dials", "Dials asked of this process, by result, and by code if refused.", labels=["result", "reason"]
        )
        for (result, reason), count in self._desk.dials.items():
            dials.add_metric([result, reason], count, created=self._began)
        yield dials

        condition = found.condition
        yield gauge("slots_taken", "Slots of EARSHOT_CONCURRENT_CALLS that are taken.", condition.taken)
        yield gauge("slots_abandoned", "Taken slots of dials of unknown outcome that nobody searches for any more.", condition.abandoned)
        if self._desk.limits.at_once is not None:
            yield gauge("slots", "EARSHOT_CONCURRENT_CALLS.", self._desk.limits.at_once)
        yield gauge("journal_waiting", "Facts that this process has not been able to write to the journal yet.", condition.waiting)
        yield gauge("journal_waiting_rejected", "Those of them that the database does not accept though it works.", condition.rejected)
        age = (datetime.now(UTC) - condition.waiting_since).total_seconds() if condition.waiting_since else 0.0
        yield gauge("journal_waiting_seconds", "How long the oldest of them has waited.", age)

        lost = float(self._relay.state == "lost")
        yield gauge("sound_lost", "1 while no call can be heard or recorded until Earshot is restarted, as /health says.", lost)
        yield gauge("streams", "Calls whose sound this process receives from Vapi.", self._relay.upstreams)
        yield gauge("listeners", "Listeners to these calls, the recorder and the measurer among them.", self._relay.listeners)
        yield _counter(
            "stream_interruptions", "Times that Vapi's sound was interrupted while a call ran.", sound.interruptions, self._began
        )
        yield _counter("sound_dropped_bytes", "Sound that slow listeners lost, in bytes.", sound.dropped_bytes, self._began)
        yield self._histogram("sound_delay", "From the arrival of a frame of sound to its transmission, in seconds.", sound.delays, [])
        yield self._histogram("vapi_request", "Requests to Vapi, in seconds; status 0: no response.", self._requests, ["request", "status"])
        yield self._histogram("event_loop_lag", "How late an event loop runs what is due, in seconds.", self.lag, ["loop"], sound.lag)

    async def _outbox(self) -> Sequence["Metric"]:
        """Nothing if the journal can't be read: no number is better than a wrong one."""
        from prometheus_client.core import GaugeMetricFamily

        try:
            endpoints = await self._desk.journal.outbox.endpoints()
        except JournalError:
            return ()
        since = min((endpoint.waiting_since for endpoint in endpoints if endpoint.waiting_since), default=None)
        age = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        waiting = sum(endpoint.waiting for endpoint in endpoints)
        disabled = sum(endpoint.disabled_at is not None for endpoint in endpoints)
        return [
            GaugeMetricFamily("earshot_webhook_events_waiting", "Events that are still to be sent to webhooks.", value=waiting),
            GaugeMetricFamily("earshot_webhook_events_waiting_seconds", "How long ago the oldest of them happened.", value=age),
            GaugeMetricFamily("earshot_webhooks_disabled", "Webhooks that get no events.", value=disabled),
        ]

    def _histogram(self, name: str, what: str, durations: Durations, labels: list[str], more: Durations | None = None) -> "Metric":
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(f"earshot_{name}_seconds", what, labels=labels)
        for label, histogram in (*durations, *(more or ())):
            family.add_metric(label, histogram.cumulated(durations.bounds), sum_value=histogram.total)
        return family


def _counter(name: str, what: str, value: float, began: float) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(f"earshot_{name}", what, value=value, created=began)
