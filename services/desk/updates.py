"""Updates: applies news of calls to the book: from this process, from other processes, and by proof that a call must be over."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from services.desk.calls.book import Book
from services.desk.calls.timeline import Timelines
from services.desk.calls.transcripts import Transcripts
from services.desk.judging.alerts import Alerts
from services.desk.judging.measurements import Measurements
from services.dialling.journal_states import Followed
from services.domain.call import Call, CallStatus
from services.journal import News
from services.support.log_lines import about

log = logging.getLogger(__name__)


class Updates:
    """Keeps `book`, `transcripts`, `measurements`, `alerts` and `timelines` up to date, and `states`, by their names in the journal.

    `watch` has the running calls read from Vapi now. `noted` takes the id of a call with news in the audit.
    """

    def __init__(
        self,
        *,
        book: Book,
        transcripts: Transcripts,
        measurements: Measurements,
        alerts: Alerts,
        timelines: Timelines,
        states: Mapping[str, Followed],
        watch: Callable[[], None],
        noted: Callable[[str], None],
    ) -> None:
        self._book = book
        self._transcripts = transcripts
        self._measurements = measurements
        self._alerts = alerts
        self._timelines = timelines
        self._states = states
        self._watch = watch
        self._noted = noted

    def ours(self, call: Call) -> Call:
        """Saves a call that was placed or ended here, and returns the stored version."""
        self._book.see(call, ours=True)
        self._watch()
        return self._book.get(call.id) or call

    def erased(self, call: Call) -> Call:
        """Shows what is left of a call whose data was deleted. Returns it."""
        self._book.see(call, ours=True)
        self._forget(call.id)
        return self._book.get(call.id) or call

    def over(self, call: Call, reason: str) -> None:
        """Ends a call here whose end no read will show."""
        log.warning("ended a call whose end no read showed (%s)", reason, extra=about(call.id))
        self._book.see(replace(call, status=CallStatus.ENDED, ended_reason=reason), ours=True)

    def running(self, call: Call) -> None:
        """Adds a call that is running according to the journal, if it is not known here yet."""
        if self._book.get(call.id) is None:
            self.ours(call)

    def follow(self, news: News) -> None:
        """Applies what another process wrote to the journal."""
        for call in news.calls:
            unknown = f"unknown-{call.tag}"
            if call.id != unknown and (found := self._book.get(unknown)) and found.id == unknown:
                self.rename(unknown, call.id)
            self._book.follow(call)
            if call.erasure:
                self._forget(call.id)
        for alert in news.alerts:
            self._alerts.follow(alert)
        for call_id, text in news.measured.items():
            self._measurements.follow(call_id, text)
        for name, followed in self._states.items():
            if state := news.states.get(name):
                followed.follow(*state)
        for call_id in news.noted:
            self._timelines.follow(call_id)
            self._noted(call_id)

    def _forget(self, call_id: str) -> None:
        self._transcripts.erase(call_id)
        self._measurements.erase(call_id)
        self._alerts.erase(call_id)

    def rename(self, unknown_id: str, call_id: str) -> None:
        """Gives a call of unknown outcome the id under which it was found."""
        self._book.rename(unknown_id, call_id)
        self._transcripts.rename(unknown_id, call_id)
