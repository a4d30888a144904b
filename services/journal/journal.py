"""Journal: the lasting record of dials, calls, transcripts, and who did what. A dial is written before it is dialled."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from services.domain.call import Call, CallOrder, CallStatus
from services.domain.errors import JournalError, KeyInProgress
from services.domain.limits import Limits
from services.domain.transcript import Line
from services.journal.alerts import AlertsJournal
from services.journal.annotations import AnnotationsJournal
from services.journal.database.revisions import Revised
from services.journal.erasures import ErasuresJournal
from services.journal.housekeeping import Housekeeping
from services.journal.insights import InsightsJournal
from services.journal.measures import MeasuresJournal
from services.journal.numbers import NumbersJournal
from services.journal.opening import open_database
from services.journal.outbox import OutboxJournal
from services.journal.processes.feed import Feed, News
from services.journal.processes.presence import Presence
from services.journal.recordings import RecordingsJournal
from services.journal.records import AuditRow, Begun, Condition, Dial, DialState, Session
from services.journal.tables import alerts, annotations, audit, calls, dials, hang_ups, sessions, settlements, slots, states, transcripts
from services.journal.tables.states import State
from services.journal.writing.proof import Proof
from services.journal.writing.writer import Writer
from services.journal.writing.writes import Fact, Kind

log = logging.getLogger(__name__)

_SETTLE: Fact[settlements.Settlement] = Fact(turn=0, run=settlements.settle, about=lambda settlement: settlement.tag)
_SAVE: Fact[tuple[Call, datetime]] = Fact(turn=1, run=calls.save, about=lambda seen: seen[0].id, merge=calls.newest)
_TAKE_BACK: Fact[dials.Beginning] = Fact(turn=2, run=settlements.take_back, about=lambda begun: begun.order.tag)
_BEGIN: Kind[dials.Beginning, Begun] = Kind(turn=3, run=dials.begin)  # after the facts that free slots
_NOTE: Fact[AuditRow] = Fact(turn=4, run=audit.note, about=lambda row: row.call_id or row.action)
_HUNG_UP: Fact[str] = Fact(turn=4, run=hang_ups.done, about=lambda tag: tag)
_SAVE_TRANSCRIPT: Fact[tuple[str, Sequence[Line]]] = Fact(
    turn=5, run=transcripts.save, about=lambda said: said[0], merge=lambda _, newer: newer
)


_PIECE = 50  # calls whose texts are deleted in one transaction


class Journal:
    """One process's journal. Methods that read or begin something raise JournalError if the database can't be reached or written.

    Methods that report facts (`settle`, `save`, `save_transcript`, `note`) return once the fact is on disk. In an outage they return
    without an error, and the fact is written as soon as the database allows it. A dial whose caller was cancelled before it could dial,
    or was refused by an error, is taken back.
    """

    def __init__(
        self, database: Revised, presence: Presence, feed: Feed, instance: str, now: Callable[[], datetime], *, tidies: bool = True
    ) -> None:
        self.instance = instance
        self._database = database
        self._feed = feed
        self._presence = presence
        self._now = now
        self._writer = Writer(database, now)
        self.recordings = RecordingsJournal(database, self._writer, feed, presence, instance)
        self.erasures = ErasuresJournal(database)
        self.annotations = AnnotationsJournal(database)
        self.insights = InsightsJournal(database)
        self.alerts = AlertsJournal(database, self._writer)
        self.measures = MeasuresJournal(database, self._writer, presence, instance)
        self.outbox = OutboxJournal(database, instance)
        self.numbers = NumbersJournal(database, now)
        self._proof = Proof(database, now)
        self._beginning_now: set[str] = set()
        """The tags of the dials that are being written down."""
        self._closed = False
        self._housekeeping = Housekeeping(database, presence, now, tidies=tidies)
        self._housekeeping.start()

    @classmethod
    async def open(
        cls,
        at: str | Path,
        *,
        instance: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tidies: bool = True,
    ) -> "Journal":
        """Opens the journal in an SQLite file, or at an SQLAlchemy URL of SQLite or PostgreSQL. Creates or migrates it if needed.

        `tidies`: False leaves outdated rows until `forget_old` is called.
        """
        instance = instance or secrets.token_hex(8)
        opened = await open_database(at, instance)
        database = Revised(opened.database, instance)
        feed = Feed(database, database.watch(ignore=instance))
        return cls(database, opened.presence, feed, instance, now, tidies=tidies)

    async def aclose(self) -> None:
        """Writes what is waiting and closes everything. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._housekeeping.aclose()
        await self._feed.aclose()
        await self._proof.aclose()
        try:
            await self._writer.aclose()
            await self._presence.leave()
        except JournalError as error:
            log.warning("could not close the journal properly: %s", error.detail)
        finally:
            await self._database.aclose()

    async def begin(
        self,
        order: CallOrder,
        *,
        client: str,
        key: str | None = None,
        fingerprint: str | None = None,
        limits: Limits | None = None,
    ) -> Begun:
        """Writes a dial down before it is dialled. Dial only if the result has no `replay`.

        Whoever follows the journal has been passed every state that was changed before, such as a stop by another process.

        A key is valid for its client and the fingerprint of its request, for 24 hours. Raises KeyReused, KeyInProgress, DuplicateCall and
        LimitReached (`rate_limited`, `daily_limit_exceeded`, `concurrency_limit_exceeded`). Simultaneous requests can't exceed `limits`.
        """
        wanted = self._beginning(order, client, limits or Limits(), key=key, fingerprint=fingerprint)
        if order.tag in self._beginning_now:
            # Were the first one taken back after this one was written, this one would be taken back while it is dialled.
            raise KeyInProgress("This order is being dialled.", retry_after=1)
        self._beginning_now.add(order.tag)
        try:
            begun = await self._writer.do(_BEGIN, wanted)
            await self._feed.catch_up(to=begun.states)
            return begun
        except (asyncio.CancelledError, JournalError):
            # It may have been written, but nobody will dial it.
            self._writer.put(_TAKE_BACK, wanted)
            raise
        finally:
            self._beginning_now.discard(order.tag)

    async def count_transfer(self, order: CallOrder, *, client: str, call_id: str, limits: Limits) -> datetime:
        """Writes down that the call `call_id` is about to be transferred to the number of `order`. Returns when. It counts as a dial,
        whatever the outcome, but takes no slot. Raises LimitReached for the hourly and daily caps of `limits`.
        """
        in_time = replace(limits, at_once=None, duplicate_window=None, one_per_number=False)
        begun = await self._writer.do(_BEGIN, replace(self._beginning(order, client, in_time), transfers=call_id))
        await self._feed.catch_up(to=begun.states)
        return begun.dial.dialled_at

    async def weigh(self, order: CallOrder, *, client: str, limits: Limits, instead_of: str | None = None) -> None:
        """Raises what `begin` would raise without a key, were the dial with the tag `instead_of` cancelled; writes nothing."""
        wanted = replace(self._beginning(order, client, limits), instead_of=instead_of)
        if refusal := await self._database.read(partial(dials.weigh, wanted=wanted)):
            raise refusal

    async def has_key(self, client: str, key: str) -> bool:
        """True if a dial with this client's key gets the answer of an earlier dial, now and for the next minute. A key that is too old, or
        soon will be, dials again."""
        return await self._database.read(partial(dials.has_key, client=client, key=key, now=self._now()))

    async def dial(self, tag: str) -> Dial | None:
        """The dial of the order with this tag, whatever became of it."""
        return await self._database.read(partial(dials.get, tag=tag))

    async def settle(
        self,
        tag: str,
        *,
        call: Call | None,
        state: DialState | Literal["placed", "unknown", "lost", "refused"],
        note: AuditRow | None = None,
    ) -> None:
        """Records the outcome of a dial, and `note` with it in the audit. `refused` frees its key. Otherwise the first `call` is the
        one that its key is answered with from then on.
        """
        settlement = settlements.Settlement(tag=tag, call=call, state=DialState(state), note=note, now=self._now())
        await self._writer.record(_SETTLE, settlement)

    @property
    def waiting(self) -> int:
        """The number of facts that are not written yet."""
        return len(self._writer.facts)

    def require_room(self) -> None:
        """Raises JournalError if so many facts wait to be written that nothing new may be begun."""
        self._writer.require_room()

    async def unsettled(self, in_flight: Container[str] | None = None) -> list[Dial]:
        """Takes over the open dials that nobody works on, oldest first. Search for them by tag, never dial them again.

        These are the dials of dead processes, and this process's own whose tags are not `in_flight` (None: all are). Each dial goes to
        one process. A dead process is noticed at once on SQLite, after 20 seconds on PostgreSQL.
        """

        def worked_on(tag: str) -> bool:
            return in_flight is None or tag in in_flight or tag in self._writer.facts

        return await self._database.write(
            partial(dials.take_over, instance=self.instance, living=self._presence.living, worked_on=worked_on)
        )

    async def save(self, call: Call) -> None:
        """Saves a call as just read. Its state never goes back."""
        await self._writer.record(_SAVE, (call, self._now()))

    async def calls(
        self,
        *,
        statuses: Iterable[CallStatus] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
        search: str | None = None,
        ended: Callable[[str], bool] | None = None,
        tags: Collection[str] | None = None,
        dispositions: Collection[str] | None = None,
        speakers: Collection[str] | None = None,
        callers: Collection[str] | None = None,
        rules: Collection[str] | None = None,
    ) -> list[Call]:
        """A page of calls, newest first. `before` is the time and id of the last call of the previous page. `search` is part of a number,
        name, summary, ended reason, transcript, note or tag. `created_to` is exclusive. With `ended`, only ended calls for whose reason it
        returns True. With `tags` or `dispositions`, only calls that have one of them; with `speakers`, only calls in which one of
        these assistants or squads speaks; with `callers`, only calls from one of these caller IDs; with `rules`, only calls of which
        one of these rules gave an alert, or with ANY_RULE any.
        """
        query = calls.page(statuses=statuses, created_from=created_from, created_to=created_to, before=before, limit=limit)
        query = calls.of_sides(query, speakers=speakers, callers=callers)
        for kind, wanted in ((annotations.TAG, tags), (annotations.DISPOSITION, dispositions)):
            if wanted is not None:
                query = query.where(annotations.labelled(kind, wanted))
        if rules is not None:
            query = query.where(alerts.given_by(rules))
        return await self._database.read(partial(calls.find, query=query, ended=ended, search=search))

    async def get(self, call_id: str) -> Call | None:
        """A call as last read, also by the id it had while its outcome was unknown."""
        return await self._database.read(partial(calls.get, call_id=call_id))

    async def save_transcript(self, call_id: str, lines: Sequence[Line]) -> None:
        """Saves a call's transcript, replacing an earlier one."""
        await self._writer.record(_SAVE_TRANSCRIPT, (call_id, tuple(lines)))

    async def transcript(self, call_id: str) -> tuple[Line, ...]:
        """A call's transcript, oldest line first; empty if none was saved."""
        return await self._database.read(partial(transcripts.get, call_id=call_id))

    async def delete_transcripts(self, before: datetime) -> int:
        """Deletes the transcripts of calls older than `before`, in pieces that let dials pass. Returns how many."""
        deleted = 0
        while found := await self._database.read(partial(transcripts.older, before=before, limit=_PIECE)):
            await self._database.write(partial(transcripts.delete, call_ids=found))
            deleted += len(found)
        return deleted

    async def condition(self) -> Condition:
        """Whether dials can be written down now, proven by a write at most a second ago. Answers within 2.5 seconds."""
        facts = self._writer.facts
        waits = Condition(waiting=len(facts), waiting_since=facts.since, rejected=facts.rejected)
        try:
            found = await self._proof.give()
            self._writer.require_room()
        except JournalError as error:
            known = [since for since in (self._proof.failing_since, self._writer.failing_since) if since]
            return replace(waits, trouble=error.detail, since=min(known, default=None))
        if waits.waiting:
            self._writer.retry_now()
        return replace(waits, taken=found.taken, abandoned=found.abandoned)

    async def running(self, *, but: Collection[str] = ()) -> list[Call]:
        """The calls of any origin that may be running or are scheduled, as last read, without the ids `but`; 1,000 at most.

        Calls of unknown outcome are not among them.
        """
        return await self._database.read(partial(slots.running, now=self._now(), but=but))

    async def resumable(self) -> list[Call]:
        """The calls of `running`, then those that have ended and whose cost is not known, newest first: 1,000 of the last 13 hours at
        most. Read at once.
        """
        now = self._now()

        def read(connection: sa.Connection) -> list[Call]:
            return [*slots.running(connection, now, ()), *calls.without_cost(connection, now - slots.LONGEST)]

        return await self._database.read(read)

    async def free_slot(self, call_id: str) -> bool:
        """Frees the slot of a call, whether or not it is over. False if it held none."""
        return await self._database.write(partial(slots.free, call_id=call_id))

    async def want_hang_ups(self, who: str, *, asked_at: datetime | None = None) -> list[Dial]:
        """Has the call of every open dial, of all processes, ended for `who` once it is known. Returns these dials.

        `asked_at`: when this was asked first, if it could not be written then. Calls of dials that have been settled since end too.
        """
        return await self._database.write(partial(hang_ups.want, who=who, asked_at=asked_at))

    async def wanted_hang_ups(self) -> list[Dial]:
        """The dials whose call is to be ended, oldest first."""
        return await self._database.read(hang_ups.wanted)

    async def hung_up(self, tag: str) -> None:
        """Ends what `want_hang_ups` began for this dial: its call has ended, or there never was one."""
        await self._writer.record(_HUNG_UP, tag)

    async def dialled_since(self, time: datetime) -> list[datetime]:
        """The times of certain and possible dials since then, oldest first; the newest 10,000 at most."""
        return await self._database.read(partial(dials.dialled_since, time=time))

    async def state(self, name: str) -> State:
        """A state of the installation: its text, empty if there is none, and its revision."""
        return await self._database.read(partial(states.get, name=name))

    async def states(self, names: Collection[str]) -> dict[str, State]:
        """What `state` returns for each of these names, read at once."""
        return await self._database.read(partial(states.among, names=names))

    async def change_state(self, name: str, change: Callable[[str], str]) -> State:
        """Replaces a state by what `change` makes of it, in one transaction. Returns what is stored then."""
        return await self._database.write(partial(states.change, name=name, change=change))

    async def save_session(self, session: Session) -> None:
        """Saves a login session. One that has ended stays so."""
        await self._database.write(partial(sessions.save, session=session))

    async def session(self, key: str) -> Session | None:
        return await self._database.read(partial(sessions.get, key=key))

    async def sessions(self, begun_since: datetime) -> list[Session]:
        """The sessions that have not been ended, oldest first."""
        return await self._database.read(partial(sessions.living, begun_since=begun_since))

    async def follow(self, take: Callable[[News], None]) -> None:
        """Passes `take` what any process writes from now on: within 200 ms on PostgreSQL, 500 ms on SQLite.

        What only this process has written is left out.
        """
        await self._feed.follow(take)

    async def catch_up(self) -> None:
        """Passes those who follow what has been written by now."""
        await self._feed.catch_up()

    async def note(self, row: AuditRow) -> None:
        """Adds to the audit."""
        await self._writer.record(_NOTE, row)

    async def audit(self, *, call_id: str | None = None, actions: Collection[str] | None = None, limit: int = 200) -> list[AuditRow]:
        """The audit of one call or of all, of some actions or of all, newest first."""
        return await self._database.read(partial(audit.newest, call_id=call_id, actions=actions, limit=limit))

    async def audit_page(self, *, who: str | None, call_id: str | None, before: int | None, limit: int) -> list[tuple[int, AuditRow]]:
        """A page of the audit, newest first, each row with its id: by one client or by all, of one call or of all, older than `before`."""
        return await self._database.read(partial(audit.page, who=who, call_id=call_id, before=before, limit=limit))

    async def forget_old(self) -> None:
        """Frees idempotency keys after 24 hours and deletes outdated rows. Runs by itself every hour, unless the journal was opened
        otherwise.
        """
        await self._housekeeping.forget_old()

    def _beginning(
        self, order: CallOrder, client: str, limits: Limits, *, key: str | None = None, fingerprint: str | None = None
    ) -> dials.Beginning:
        return dials.Beginning(
            order=order, client=client, key=key, fingerprint=fingerprint, limits=limits, instance=self.instance, now=self._now()
        )
