"""CallDesk: the one object that the page and the REST routes use. It places, follows, controls and ends calls."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from services.desk.call_control import CallControl, Obstacle
from services.desk.calls.annotations import CallAnnotations
from services.desk.calls.audience import Audience
from services.desk.calls.book import Book
from services.desk.calls.call_rights import CallRights
from services.desk.calls.lookups import Lookups
from services.desk.calls.notes import Notes
from services.desk.calls.timeline import ACTIONS, BY_MACHINE, MOST_ENTRIES, Entry, Timelines
from services.desk.calls.transcript_archive import TranscriptArchive
from services.desk.calls.transcripts import Transcripts
from services.desk.calls.watcher import Watcher
from services.desk.ending.hang_ups import HangUps
from services.desk.ending.late_hang_ups import LateHangUps
from services.desk.erasing.erasures import Erasures
from services.desk.erasing.numbers_erased import NumbersErased
from services.desk.judging.alerts import Alerts
from services.desk.judging.judging import Judging
from services.desk.judging.measurements import Measurements
from services.desk.judging.rule_trial import RuleTrials
from services.desk.judging.rules import Rules
from services.desk.lists.contacts import Contacts
from services.desk.lists.made_tokens import MadeTokens
from services.desk.lists.people import People
from services.desk.lists.phrases import Phrases
from services.desk.placing.consents import Consents
from services.desk.placing.dial_counts import DialCounts
from services.desk.placing.dial_questions import DialQuestions
from services.desk.placing.directory import Directory
from services.desk.placing.orders import Orders
from services.desk.placing.placing import Key, Placed, Placing
from services.desk.placing.rescheduling import Rescheduling
from services.desk.updates import Updates
from services.dialling.block_list import BlockList
from services.dialling.dial_guard import DialGuard
from services.dialling.journal_states import Followed
from services.dialling.reach import Reach
from services.dialling.switch import Switch
from services.domain.call import Call, CallOrder, CallStatus, ListenTarget
from services.domain.client import LOCAL, Client, Scope
from services.domain.consent import RecordingMode
from services.domain.control import Control
from services.domain.errors import EarshotError, NotConfigured
from services.domain.limits import Limits
from services.domain.permissions import require
from services.domain.spellings import spellings
from services.domain.transcript import Line
from services.journal import AuditRow, Dial, Journal
from services.support.drain import Drain
from services.support.events import set_within
from services.support.signals import Signal
from services.support.tasks import Tasks
from services.vapi.ended_reasons import Family, family_of
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_CATCH_UP_PATIENCE = 3.0  # seconds for which a list of calls waits for the first read from Vapi


class CallDesk:
    """All calls of this installation. Ended calls leave memory, oldest first, and stay in the journal.

    `switch` and `blocked` are the stop switch and the block list, which `start` loads, as it does `contacts`, `tokens`, `people` and
    `rules`.
    `token_names` are those of tokens that were not made on the page.
    `missing` names the credentials that are not set; then `gateway` raises NotConfigured.
    `guard` makes the dial guard from this desk; `limits` are the caps that the journal enforces.
    `dispositions` are those that a call may be given.
    `max_call_seconds` is the maximum duration that an order may ask for, and the default.
    `keep_transcripts` is how long transcripts are kept; None: as long as the calls.
    `reach` says which numbers and SIP addresses may be called at all.
    `order` makes an order for `place`. `note` adds to the audit.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        journal: Journal,
        guard: Callable[["CallDesk"], DialGuard],
        switch: Switch,
        blocked: BlockList,
        limits: Limits,
        reach: Reach,
        assistant_id: str = "",
        phone_number_id: str = "",
        max_call_seconds: int = 600,
        missing: tuple[str, ...] = (),
        dispositions: Collection[str] = (),
        token_names: Collection[str] = (),
        keep_transcripts: timedelta | None = None,
    ) -> None:
        self.trouble_changed: Signal[str | None] = Signal()
        self.trouble: str | None = None
        self.dials = DialCounts()
        self.missing = missing
        self.switch = switch
        self.blocked = blocked
        self.reach = reach
        self.assistant_id = assistant_id
        self.phone_number_id = phone_number_id
        orders = Orders(
            assistant_id=assistant_id,
            phone_number_id=phone_number_id,
            max_call_seconds=max_call_seconds,
            missing=missing,
            reach=reach,
        )
        self.order = orders.make
        self.directory = Directory(gateway)
        self.journal = journal
        self.limits = limits
        self._erased = NumbersErased(journal)
        self._book = Book(save=lambda call: self._notes.save(call), hidden=self._erased.hidden)
        self.changed = self._book.changed
        self.transcripts = Transcripts(self._book.current_id)
        self.measurements = Measurements(journal, self._book.current_id)
        self.timelines = Timelines(self._read_timeline, self._book.current_id)
        self.rights = CallRights(journal.dial)
        self.annotations = CallAnnotations(journal, dispositions, rights=self.rights)
        self._notes = Notes(journal, self.timelines)
        self.note = self._notes.note
        self.audience = Audience()
        self.contacts = Contacts(journal, self.note)
        self.phrases = Phrases(journal, self.note)
        self.tokens = MadeTokens(
            journal,
            self.note,
            taken=lambda name: name in token_names or self.people.named(name) is not None,
            owner=lambda person_id: self.people.is_owner(person_id),
        )
        self.people = People(journal, self.note, names_taken=lambda: [*token_names, *(token.name for token in self.tokens.all())])
        self.people.changed.subscribe(lambda _: self.tokens.look_at_owners())
        self.rules = Rules(journal, self.note)
        self.alerts = Alerts(journal)
        self.consents = Consents(journal, self.directory, self.note, journal.dial)
        self.questions = DialQuestions(
            journal,
            place=lambda order, client, key, again: self.place(order, client, key=key, allow_duplicate=again),
            weigh=self.weigh,
            person=self.people.client_of,
            lives=lambda asked: self.tokens.lives(asked.token) if asked.token else asked.client in token_names,
            note=self.note,
            audit=journal.note,
        )
        self.trials = RuleTrials(journal)
        followed: list[Followed] = [
            switch,
            blocked,
            self.contacts,
            self.phrases,
            self.tokens,
            self.people,
            self.rules,
            self.questions,
            self.consents,
            self._erased,
        ]
        self._states = {state.state_name: state for state in followed}
        self._updates = Updates(
            book=self._book,
            transcripts=self.transcripts,
            measurements=self.measurements,
            alerts=self.alerts,
            timelines=self.timelines,
            states=self._states,
            watch=lambda: self._watcher.wake(),
            noted=self.annotations.changed.emit,
        )
        self.guard = guard(self)
        self._gateway = gateway
        self._lookups = Lookups(gateway.get_call)
        self._tasks = Tasks()
        self._drain = Drain()
        self._watcher = Watcher(
            gateway=gateway,
            awaited=self._book.awaited,
            seen=self._book.see,
            asked=lambda call: self._book.see(call, ours=True),
            ended=self._ended_unseen,
            trouble=self._tell_trouble,
        )
        self._placing = Placing(
            gateway=gateway,
            journal=journal,
            guard=self.guard,
            limits=limits,
            store=self._updates.ours,
            rename=self._updates.rename,
            running_with=self._book.running_with,
            prepare=self.consents.applied,
        )
        self._late_hang_ups = LateHangUps(journal, self._hang_up)
        self._erasures = Erasures(gateway=gateway, journal=journal, take=self._updates.erased)
        self._hang_ups = HangUps(gateway=gateway, take=self._updates.ours, changed=self._tell_again)
        self._control = CallControl(
            gateway=gateway,
            guard=self.guard,
            count=self._placing.count_transfer,
            look_up=self.count_request,
            note=self.note,
            reach=reach,
        )
        self._rescheduling = Rescheduling(
            journal=journal,
            orders=orders,
            placing=self._placing,
            end=self._hang_up,
            note=self.note,
            current=self.find,
            settled=self._notes.settled,
        )
        self._archive = TranscriptArchive(gateway=gateway, journal=journal, transcripts=self.transcripts, keep=keep_transcripts)
        self.changed.subscribe(self._archive.on_call)
        self._judging = Judging(
            rules=self.rules,
            alerts=self.alerts,
            transcripts=self.transcripts,
            archive=self._archive,
            measurements=self.measurements,
            find=self.get,
        )
        self.changed.subscribe(self._judging.on_call)

    async def start(self) -> None:
        """Resumes the calls and unfinished dials of earlier processes, and watches all calls from now on."""
        await self.journal.follow(self._updates.follow)
        for name, found in (await self.journal.states(self._states)).items():  # in one transaction, not in ten
            self._states[name].follow(*found)
        await self.questions.forget_old()
        if self.missing:
            # Nothing can be read without credentials, and unfinished dials are left to a process that can search for them.
            self._watcher.looked_back.set()
            await self.directory.load()
            return
        resumed = await self.journal.resumable()
        await self.alerts.load(call.id for call in resumed)
        for call in resumed:
            self._book.resume(call)
        self._tasks.keep(self._watcher.run, name="watch calls")
        self._tasks.keep(self._late_hang_ups.run, name="hang up open dials")
        self._tasks.keep(self._erasures.run, name="delete data")
        self._tasks.start(self.directory.load(), name="load directory")
        await self._placing.start()

    async def drain(self, within: float) -> None:
        """Refuses new calls from now on and returns once dials, hang-ups and controls under way are answered.

        After `within` seconds the outcome of the remaining dials is unknown to whoever asked for them.
        """
        self.questions.close()
        if not await self._drain.close(within):
            log.warning("stopping while calls are being placed or ended; the next start searches for their outcomes")
            await self._placing.aclose()

    async def aclose(self) -> None:
        """Stops the desk's work and writes down what is waiting. Phone calls continue."""
        await self.questions.aclose()
        await self._placing.aclose()
        await self._late_hang_ups.aclose()
        await self._hang_ups.aclose()
        await self._erasures.aclose()
        await self._archive.aclose()
        await self.measurements.settled()
        await self._judging.aclose()
        await self.alerts.settled()
        await self.timelines.aclose()
        await self.switch.aclose()
        await self._tasks.aclose()
        await self._notes.settled()

    def check_open(self) -> None:
        """Raises ShuttingDown once the process is ending."""
        self._drain.check()

    @property
    def running(self) -> int:
        """The number of calls without a confirmed end, including those of unknown outcome."""
        return self._book.running

    def calls(self) -> list[Call]:
        """Running calls and the latest ended ones, newest first."""
        return self._book.calls()

    async def page_of_calls(
        self,
        *,
        statuses: Iterable[CallStatus] | None = None,
        families: Collection[Family] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        search: str | None = None,
        tags: Collection[str] | None = None,
        dispositions: Collection[str] | None = None,
        speakers: Collection[str] | None = None,
        callers: Collection[str] | None = None,
        rules: Collection[str] | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Call]:
        """Calls from the journal, newest first, each as last read. `before` is the time and id of the last call of the previous page.

        `search` is part of a number, name, summary, transcript, note or tag. `families` selects only ended calls.
        """
        await self.caught_up()
        await self._notes.settled()  # a call that was already shown must not be missing from the list
        found = await self.journal.calls(
            statuses=statuses,
            ended=None if families is None else lambda reason: family_of(reason) in families,
            created_from=created_from,
            created_to=created_to,
            before=before,
            limit=limit,
            search=search,
            tags=tags,
            dispositions=dispositions,
            speakers=speakers,
            callers=callers,
            rules=rules,
        )
        return [self.get(call.id) or call for call in found]

    def get(self, call_id: str) -> Call | None:
        """The call as last read, from memory; also by the id it had while its outcome was unknown."""
        return self._book.get(call_id)

    async def find(self, call_id: str) -> Call | None:
        """The call as last read, from memory, else the journal: another process may have placed it this moment. Raises JournalError."""
        if (call := self.get(call_id)) is None and (call := await self.journal.get(call_id)):
            self._book.follow(call)
        return self.get(call_id) or call

    async def read(self, call_id: str, client: Client = LOCAL) -> Call:
        """The call as last read, from memory, else the journal, else Vapi. Raises CallNotFound, VapiError, JournalError, and LimitReached
        if `client` has Vapi asked too often."""
        if call := self.get(call_id) or await self.journal.get(call_id):
            return call
        return await self._lookups.read(call_id, client)

    def count_request(self, client: Client) -> None:
        """Counts a request to Vapi that `client` causes. Raises LimitReached if there are too many."""
        self._lookups.count(client)

    async def transcript(self, call_id: str, client: Client = LOCAL) -> tuple[Line, ...]:
        """What was said in a call so far, oldest first. Raises the errors of `read`."""
        return await self._archive.of(await self.read(call_id, client))

    async def timeline(self, call_id: str) -> tuple[Entry, ...]:
        """What was sent to a call, oldest first, from the audit. Raises JournalError."""
        await self._notes.settled()
        return await self.timelines.read(call_id)

    def look(self, call_id: str) -> None:
        """Reads a call from Vapi now, because it may have changed: its live stream closed, or a webhook came."""
        self._watcher.look(self._book.current_id(call_id))

    def check(self, order: CallOrder, client: Client) -> None:
        """Checks an order against the dial guard's current knowledge. Raises its errors."""
        self.guard.check(order.number, client)

    async def weigh(self, order: CallOrder, client: Client, *, allow_duplicate: bool = True) -> None:
        """Checks an order as far as possible without dialling. Raises the errors of the dial guard and the limits, and DuplicateCall
        unless that is allowed.
        """
        await self.directory.known()
        await self._placing.weigh(order, client, allow_duplicate=allow_duplicate)

    async def place(
        self, order: CallOrder, client: Client, *, key: Key | None = None, allow_duplicate: bool = False, allow_recent: bool = False
    ) -> Placed:
        """Places exactly one call, or returns the one that the key placed before. Its status is UNKNOWN if Vapi's answer was lost. With
        `allow_recent` the number may have been called a moment ago, with `allow_duplicate` it may also have a running call.

        Raises EarshotError if nothing was placed.
        """
        self._drain.check()
        with self._drain.work():
            await self.directory.known()
            if self.consents.mode(order) is RecordingMode.ANNOUNCE:
                await self.directory.freshen()  # the announcement is put before the assistant's first message, as it is now
            placing = self._placing.place(order, client, key=key, allow_duplicate=allow_duplicate, allow_recent=allow_recent)
            return self._noted(await self.dials.count(placing), client)

    def _noted(self, placed: Placed, client: Client) -> Placed:
        if not placed.replayed:
            if client.machine:
                self.note(client, BY_MACHINE, placed.call)
            if placed.call.consent:
                self.note(client, "recording-consent", placed.call, detail=placed.call.consent)
        return placed

    async def end(self, call_id: str, client: Client) -> Call:
        """Hangs up, or cancels a scheduled call. Returns the call once Vapi confirms that it ended, and an ended call as it is.

        Raises HangUpUnconfirmed if Vapi has not confirmed it yet (the desk keeps trying), CallNotRunning, CallNotFound, Forbidden,
        VapiError.
        """
        require(client, Scope.CONTROL)
        await self.rights.check_end(await self.read(call_id, client), client)
        return await self._hang_up(call_id, client)

    async def _hang_up(self, call_id: str, client: Client) -> Call:
        call = await self.read(call_id, client)
        if not call.running:
            return call
        with self._drain.work():
            hanging_up = self._hang_ups.begin(call)
            self._control.note_when_done(hanging_up, call, client)
            return await self._hang_ups.confirmed(hanging_up)

    async def reschedule(self, call_id: str, client: Client, *, earliest_at: datetime, latest_at: datetime | None = None) -> Placed:
        """Moves a scheduled call to another time: cancels it and then places one like it. Repeating the request is safe: it places at
        most one. Raises CallNotScheduled, HangUpUnconfirmed, and what `place` raises.
        """
        self._drain.check()
        with self._drain.work():
            await self.directory.known()
            require(client, Scope.CALL)
            call = await self.read(call_id, client)
            await self.rights.check(call, client, Scope.CALL)
            return self._noted(await self.dials.count(self._rescheduling.reschedule(call, earliest_at, latest_at, client)), client)

    async def erase(self, call_id: str, client: Client) -> Call:
        """Deletes the data of an ended call, here and at Vapi. Returns what is left: times, costs, and the erasure, which Vapi has not
        confirmed yet if it has no `confirmed_at`. The audit stays. Raises CallRunning, NotConfigured, and the errors of `read`.
        """
        require(client, Scope.MANAGE)
        if self.missing:
            raise NotConfigured.without(self.missing)
        with self._drain.work():
            return await self._erasures.erase(await self.read(call_id, client), client)

    async def settled(self) -> None:
        """Returns once the journal has what this process knows of calls, and who did what."""
        await self._notes.settled()

    async def forget_number(self, number: str, client: Client, *, calls: int) -> None:
        """Masks a number in everything that the journal keeps after the data of calls, except the block list; the audit notes `calls`.
        Raises JournalError."""
        spelled = spellings(number)
        self.note(client, "erase-number", outcome=str(calls), detail=spelled.mask)
        await self.questions.forget_number(number)
        await self._notes.settled()
        await self.alerts.settled()
        changed = await self.journal.numbers.hide(spelled)
        await self._erased.load()  # what is read from now on is masked in memory too
        self.timelines.hide(spelled)
        self.alerts.forget_number(spelled)
        for call_id in changed:
            if call := await self.journal.get(call_id):
                self._book.follow(call)

    async def free_slot(self, call_id: str, client: Client) -> Call:
        """Frees the slot of a running call without proof that it is over, and notes who did. The call itself is left alone.

        Raises the errors of `read`.
        """
        require(client, Scope.MANAGE)
        call = await self.read(call_id, client)
        if await self.journal.free_slot(call.id):
            await asyncio.shield(self.note(client, "free-slot", call))
        return call

    async def find_running(self) -> list[Call]:
        """All running and scheduled calls, after a read of the journal and of Vapi: also those that began a moment ago, anywhere."""
        await self.caught_up()
        try:
            await self._watcher.read_now()
        except EarshotError as error:
            log.warning("could not read which calls are running at Vapi (%s)", error.code)
        try:
            for call in await self.journal.running(but=frozenset(self._book.running_ids)):
                self._updates.running(call)
        except EarshotError as error:
            log.warning("could not read which calls are running (%s)", error.code)
        return [call for call in self.calls() if call.running]

    async def hang_up_open_dials(self, client: Client) -> Sequence[Dial]:
        """Has the call of every open dial, of all processes, hung up as soon as it is known. Returns these dials."""
        return await self._late_hang_ups.want(client)

    def dialled(self) -> Sequence[datetime]:
        """The times of the dials in the last 24 hours that count towards the limits, oldest first."""
        return self._placing.dialled

    async def control(self, call_id: str, control: Control, client: Client) -> Call:
        """Sends a control to a running call, and returns the call once Vapi accepted it. A transfer passes the dial guard and counts
        towards the hourly and daily caps.

        Raises CallNotRunning, CallNotFound, RequestError, NumberError, VapiError, JournalError, and the errors of the dial guard and the
        caps.
        """
        require(client, control.action.scope)
        with self._drain.work():
            self.journal.require_room()
            call = await self.read(call_id, client)
            await self.rights.check(call, client, control.action.scope)
            await self._control.control(call, control, client)
            return call

    def can_control(self, call: Call) -> Obstacle | None:
        """Why the call can't be controlled now; None if it can."""
        return self._control.obstacle(call)

    async def listen_target(self, call_id: str) -> ListenTarget:
        """Where to fetch the call's live sound: a secret, for the relay only. Raises VapiError, CallNotFound, NotConfigured."""
        return await self._gateway.listen_target(call_id)

    def _ended_unseen(self, call: Call, reason: str) -> None:
        """A call must be over though no read shows it. One that is being cancelled here is left to that: only it knows that the end was
        asked for."""
        if not (call.status is CallStatus.SCHEDULED and self.ending(call.id)):
            self._updates.over(call, reason)

    def ending(self, call_id: str) -> bool:
        """True while a hang-up is pending."""
        return call_id in self._hang_ups

    async def caught_up(self) -> None:
        """Returns once the first read from Vapi is done, or after a few seconds if Vapi does not answer."""
        await set_within(self._watcher.looked_back, _CATCH_UP_PATIENCE)

    async def _read_timeline(self, call_id: str) -> list[AuditRow]:
        return await self.journal.audit(call_id=call_id, actions=ACTIONS, limit=MOST_ENTRIES)

    def _tell_again(self, call_id: str) -> None:
        if call := self.get(call_id):
            self.changed.emit(call)

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.trouble_changed.emit(trouble)
