"""The alerts of calls: those of the latest calls in memory, all of them in the journal."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.domain.alert import MOST_ALERTS, Alert
from services.domain.errors import EarshotError
from services.domain.spellings import Spellings
from services.journal import Journal
from services.support.log_lines import about
from services.support.recent import remember
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_KEPT = 2000  # calls in memory


class Alerts:
    """`raised` emits each alert once, in whichever process the rule applied. A call has one alert of each rule at most."""

    def __init__(self, journal: Journal) -> None:
        self.raised: Signal[Alert] = Signal()
        self._journal = journal.alerts
        self._calls: dict[str, dict[str, Alert]] = {}
        self._loaded: dict[str, None] = {}
        self._erased: dict[str, None] = {}
        self._writing = Tasks()

    def of(self, call_id: str) -> tuple[Alert, ...]:
        """The alerts of a call whose alerts were loaded, oldest first."""
        return tuple(sorted(self._calls.get(call_id, {}).values(), key=lambda alert: alert.at))

    def has(self, call_id: str, rule_id: str) -> bool:
        """True if the rule has given an alert of this call, or may give none: its data was deleted, or it has too many."""
        known = self._calls.get(call_id, {})
        return rule_id in known or len(known) >= MOST_ALERTS or call_id in self._erased

    def loaded(self, call_id: str) -> bool:
        return call_id in self._loaded

    async def load(self, call_ids: Iterable[str]) -> None:
        """Reads from the journal what `of` needs for these calls. Without the journal, `of` has only what is in memory."""
        wanted = set(call_ids) - self._loaded.keys() - self._erased.keys()
        if not wanted:
            return
        try:
            found = await self._journal.among(wanted)
        except EarshotError as error:
            log.warning("could not read the alerts of calls (%s)", error.code)
            return
        for call_id in wanted - self._erased.keys():
            stored = {alert.rule.id: alert for alert in found.get(call_id, ())}
            if stored:
                remember(self._calls, call_id, stored | self._calls.get(call_id, {}), most=_KEPT)
            remember(self._loaded, call_id, None, most=_KEPT)

    def add(self, alert: Alert) -> None:
        """Adds an alert that was found here, unless the call has one of this rule."""
        if self._take(alert):
            self._writing.start(self._save(alert), name="save alert")

    def follow(self, alert: Alert) -> None:
        """Adds an alert that was found in another process."""
        self._take(alert)

    def erase(self, call_id: str) -> None:
        """Forgets the alerts of an ended call, and those that may still come."""
        remember(self._erased, call_id, None, most=_KEPT)
        self._calls.pop(call_id, None)

    def unquote(self, before: datetime) -> None:
        """Deletes what was said from alerts that are older than this, as the journal does when it deletes transcripts."""
        for call_id, known in self._calls.items():
            self._calls[call_id] = {rule_id: replace(one, said="") if one.at <= before else one for rule_id, one in known.items()}

    def forget_number(self, spelled: Spellings) -> None:
        """Forgets the alerts that name a number, as the journal does."""
        for call_id, known in self._calls.items():
            self._calls[call_id] = {
                rule_id: alert for rule_id, alert in known.items() if not spelled.named_in(alert.said, alert.rule.phrase)
            }

    async def settled(self) -> None:
        """Returns once everything is written that was added so far."""
        await self._writing.settled()

    def _take(self, alert: Alert) -> bool:
        if self.has(*alert.key):
            return False
        remember(self._calls, alert.call_id, self._calls.get(alert.call_id, {}) | {alert.rule.id: alert}, most=_KEPT)
        self.raised.emit(alert)
        return True

    async def _save(self, alert: Alert) -> None:
        try:
            await self._journal.add(alert)
        except EarshotError as error:
            log.error("could not save an alert (%s)", error.code, extra=about(alert.call_id))
