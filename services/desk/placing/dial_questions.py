"""Dials that an assistant asks for and somebody on the page has to confirm. They are in the journal, so that every process shows them."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from services.desk.calls.timeline import CONFIRMED
from services.desk.placing.dial_question import ANSWER_WITHIN, DialQuestion, dumped, loaded, same
from services.desk.placing.placing import Key, Placed
from services.dialling.journal_states import FollowedState, States
from services.domain.call import Call, CallOrder
from services.domain.client import Client, Scope
from services.domain.errors import (
    EarshotError,
    JournalError,
    KeyInProgress,
    LimitReached,
    NobodyToConfirm,
    QuestionOver,
)
from services.domain.permissions import require
from services.journal import AuditRow
from services.journal.database.codec import dump
from services.support.events import set_within
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

STATE = "dial-questions"
"""The name of the state in the journal."""

_ANSWERED = "Somebody has answered, or the time is over."
_MOST_WAITING = 5  # of one client
_SHOWN_WITHIN_S = 3.0  # without an answer by then, no process has an open page: on SQLite others read a change within 0.5 s
_TRY_AGAIN_S = 0.2


class Note(Protocol):
    """Writes the audit and the timeline."""

    def __call__(self, client: Client, action: str, call: Call | None = None, *, detail: str = "") -> object: ...


class DialQuestions(FollowedState):
    """`place` dials, and `weigh` raises what `place` would raise for a client. `person` returns the client of a person's id. `lives` is
    true if the token that asked a question is still valid. `note` records what belongs to a call, `audit` everything else.

    `changed` is emitted when a question is asked or answered, in any process.
    """

    def __init__(
        self,
        journal: States,
        *,
        place: Callable[[CallOrder, Client, Key, bool], Awaitable[Placed]],
        weigh: Callable[[CallOrder, Client], Awaitable[None]],
        person: Callable[[str], Client],
        lives: Callable[[DialQuestion], bool],
        note: Note,
        audit: Callable[[AuditRow], Awaitable[None]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(journal, STATE)
        self._place = place
        self._weigh = weigh
        self._person = person
        self._lives = lives
        self._note = note
        self._audit = audit
        self._now = now
        self._questions: dict[str, DialQuestion] = {}
        self._pages: dict[object, Callable[[], bool]] = {}
        self._closed = False
        self._tasks = Tasks()

    async def forget_old(self) -> None:
        """Raises JournalError."""
        if any(not question.remembered(self._now()) for question in self._questions.values()):
            await self._change(lambda known: known)

    def _read(self, value: str) -> None:
        self._questions = loaded(value)
        self.look()

    def close(self) -> None:
        """Ends all waiting for answers, since this process is ending. The questions stay."""
        self._closed = True
        self.changed.emit(None)

    async def aclose(self) -> None:
        self.close()
        await self._tasks.aclose()

    def watch(self, open_: Callable[[], bool]) -> Callable[[], None]:
        """Registers a page, which shows the questions while `open_()` is true. The returned function removes it."""
        page = object()
        self._pages[page] = open_

        def leave() -> None:
            self._pages.pop(page, None)

        return leave

    def look(self) -> None:
        """Marks all questions as shown, those of other processes too, if a page shows them. Call it when a page that watches has opened."""
        if self._any_page and any(not question.shown for question in self.waiting()):
            self._tasks.start(self._mark_shown(), name="mark questions shown")

    def waiting(self) -> list[DialQuestion]:
        """Those that can be answered, oldest first."""
        now = self._now()
        return [question for question in self._questions.values() if question.waiting(now)]

    def find(self, client: Client, key: str | None, fingerprint: str) -> DialQuestion | None:
        """The question that this request asked before; None if none is remembered. Raises KeyReused if its key is another request's."""
        return same(self._questions, client, key, fingerprint, self._now())

    async def ask(self, order: CallOrder, client: Client, *, key: str | None, fingerprint: str, allow_duplicate: bool) -> DialQuestion:
        """Asks on every open page, once for the same request. Raises NobodyToConfirm if no page is open, LimitReached,
        JournalError."""
        question_id = secrets.token_hex(8)
        new = DialQuestion(
            id=question_id,
            client=client.name,
            token=client.token,
            key=key or f"mcp-{question_id}",
            fingerprint=fingerprint,
            order=dump(order),
            asked_at=self._now(),
            allow_duplicate=allow_duplicate,
            shown=self._any_page,
        )

        def add(known: dict[str, DialQuestion]) -> dict[str, DialQuestion]:
            if same(known, client, key, fingerprint, self._now()):
                return known
            if sum(other.asked_by(client) and other.waiting(self._now()) for other in known.values()) >= _MOST_WAITING:
                raise LimitReached(
                    f"{_MOST_WAITING} calls wait for somebody to confirm them. Wait until they are answered.", retry_after=30
                )
            return known | {new.id: new}

        await self._change(add)
        asked = self.find(client, key, fingerprint)
        if asked is None:
            raise QuestionOver("The question ended before anybody could answer it. Ask again.")
        if asked.id != new.id:
            return asked
        self._tasks.start(self._forget_in_time(), name="forget dial questions")
        if not await self._until(asked.id, lambda question: question.shown, _SHOWN_WITHIN_S):
            await self._withdraw(asked.id)
        return asked

    async def answered(self, question_id: str, within_s: float) -> DialQuestion:
        """The question once it was refused, dialled or over, or as it is after that time. Raises QuestionOver if it is forgotten."""
        question = self._questions.get(question_id)
        deadline = asyncio.get_running_loop().time() + within_s
        if question and question.waiting(self._now()):
            left = (question.expires_at - self._now()).total_seconds()
            await self._until(question_id, lambda one: one.agreed is not None, min(within_s, left))
        if (question := self._questions.get(question_id)) and question.agreed:
            await self._until(question_id, lambda one: one.settled, deadline - asyncio.get_running_loop().time())
        if question := self._questions.get(question_id):
            return question
        raise QuestionOver("The question is over. Ask again.")

    async def answer(self, question_id: str, client: Client, *, agree: bool) -> Call | None:
        """Answers for `client`, who sees the question on the page. Places the call if they agree; returns None if they refuse.

        The first answer counts, in all processes. Raises QuestionOver if somebody has answered or the question is over, what `weigh`
        raises if `client` may not place this call, and what `place` raises.
        """
        require(client, Scope.CALL)
        if agree and (asked := self._questions.get(question_id)):
            await self._weigh_if_waiting(asked, client)
        changed: DialQuestion | None = None

        def change(known: dict[str, DialQuestion]) -> dict[str, DialQuestion]:
            nonlocal changed
            question, changed = known.get(question_id), None
            if question is None or not question.waiting(self._now()):
                raise QuestionOver(_ANSWERED)
            agreed = agree and self._lives(question)
            changed = replace(question, agreed=agreed, answered_at=self._now(), answered_by=client.person)
            return known | {question_id: changed}

        await self._change(change)
        if changed is None:
            raise QuestionOver(_ANSWERED)
        order = changed.load_order()
        if not changed.agreed:
            await self._audit(
                AuditRow(at=self._now(), who=client.name, action="refuse-dial", to=order.to, outcome="done", detail=changed.client)
            )
            if agree:
                raise QuestionOver("The token of this assistant was revoked. No call was placed.")
            return None
        # Runs to completion even if the page is closed: the assistant learns the outcome only from the journal.
        call = await asyncio.shield(self._tasks.start(self._dialled(changed, order), name="place confirmed call"))
        self._note(client, CONFIRMED, call, detail=changed.client)
        return call

    def confirmed(self, asker: Client, question: DialQuestion) -> Client:
        """`asker` with the caps of the person who agreed, towards which the dial counts."""
        person = self._person(question.answered_by)
        return replace(asker, caps=person.caps, confirmed_by=person)

    async def forget_number(self, number: str) -> None:
        """Forgets all questions about this number, answered or not. Raises JournalError."""
        await self._change(lambda known: {name: question for name, question in known.items() if question.load_order().to != number})

    async def _weigh_if_waiting(self, question: DialQuestion, client: Client) -> None:
        try:
            await self._weigh(question.load_order(), client)
        except EarshotError:
            # Perhaps somebody else agreed meanwhile, in any process: then the order is being dialled, and counts in the limits.
            await self.load()
            known = self._questions.get(question.id)
            if known is None or not known.waiting(self._now()):
                raise QuestionOver(_ANSWERED) from None
            raise

    async def _dialled(self, question: DialQuestion, order: CallOrder) -> Call:
        """Places the call, and has the question say whether that worked."""
        try:
            call = (await self._placed(question, order)).call
        except EarshotError as error:
            await self._settle(question.id, failed=error.code, why=error.detail)
            raise
        await self._settle(question.id, placed=True)
        return call

    async def _settle(self, question_id: str, **outcome: Any) -> None:
        def change(known: dict[str, DialQuestion]) -> dict[str, DialQuestion]:
            question = known.get(question_id)
            return known | {question_id: replace(question, **outcome)} if question else known

        try:
            await self._change(change)
        except JournalError as error:
            log.warning("could not record the outcome of a confirmed dial (%s); the assistant learns it when it asks again", error.code)

    async def _placed(self, question: DialQuestion, order: CallOrder) -> Placed:
        """Of two requests with one key, one dials and the other waits for it."""
        asker = self.confirmed(Client(name=question.client, token=question.token, scopes=frozenset({Scope.CALL}), machine=True), question)
        while True:
            try:
                key = Key(text=question.key, fingerprint=question.fingerprint)
                return await self._place(order, asker, key, question.allow_duplicate)
            except KeyInProgress:
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _withdraw(self, question_id: str) -> None:
        """Takes back a question and raises NobodyToConfirm, unless a page has shown it by now."""

        def change(known: dict[str, DialQuestion]) -> dict[str, DialQuestion]:
            question = known.get(question_id)
            if question is None or question.shown or question.agreed is not None:
                return known
            return {name: other for name, other in known.items() if name != question_id}

        await self._change(change)
        if question_id not in self._questions:
            raise NobodyToConfirm("No page of Earshot is open, so nobody could confirm the call. Open the page, then ask again.")

    async def _until(self, question_id: str, done: Callable[[DialQuestion], bool], within_s: float) -> bool:
        """True once `done` is true of the question; False after `within_s`, if it is forgotten, or if this process is ending."""
        turned = asyncio.Event()
        leave = self.changed.subscribe(lambda _: turned.set())
        deadline = asyncio.get_running_loop().time() + within_s
        try:
            while (question := self._questions.get(question_id)) and not done(question):
                left = deadline - asyncio.get_running_loop().time()
                if self._closed or not await set_within(turned, max(0.0, left)):
                    return False
                turned.clear()
            return question is not None
        finally:
            leave()

    async def _forget_in_time(self) -> None:
        """Deletes questions that are over, so that the journal keeps no number longer than needed."""
        await asyncio.sleep((3 * ANSWER_WITHIN).total_seconds())
        try:
            await self._change(lambda known: known)
        except JournalError as error:
            log.warning("could not forget old questions (%s); the next one or the next start does", error.code)

    @property
    def _any_page(self) -> bool:
        return any(open_() for open_ in self._pages.values())

    async def _mark_shown(self) -> None:
        try:
            await self._change(lambda known: {name: replace(question, shown=True) for name, question in known.items()})
        except EarshotError as error:
            log.warning("could not mark a question as shown (%s)", error.code)

    async def _change(self, change: Callable[[dict[str, DialQuestion]], dict[str, DialQuestion]]) -> None:
        def changed(value: str) -> str:
            now = self._now()
            known = {name: question for name, question in loaded(value).items() if question.remembered(now)}
            return dumped(change(known).values())

        await self._change_state(changed)
