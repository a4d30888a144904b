"""Erases a number: its contact, the data of all calls with it, here and at Vapi, and the number itself wherever else it is written."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.desk.lists.contacts import Contacts
from services.dialling.block_list import BlockList
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import CallRunning, EarshotError
from services.domain.permissions import require
from services.domain.phone_number import masked
from services.domain.spellings import spellings
from services.journal import Journal

log = logging.getLogger(__name__)

_PAGE = 100  # calls
_AT_ONCE = 4  # deletions at Vapi


class CallEraser(Protocol):
    """The part of the desk that erasing a number needs."""

    contacts: Contacts
    blocked: BlockList
    journal: Journal

    async def erase(self, call_id: str, client: Client) -> Call: ...
    async def forget_number(self, number: str, client: Client, *, calls: int) -> None: ...
    async def settled(self) -> None: ...
    async def find_running(self) -> list[Call]: ...
    async def page_of_calls(
        self, *, statuses: Iterable[CallStatus], search: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[Call]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberKnown:
    """What there is of a number: ended calls with data, running or scheduled ones, its contact, and whether the block list has it."""

    calls: int
    running: int
    contact: bool
    blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberErased:
    """How many calls had their data deleted, and for how many that failed: while any failed, the number stays where it is written.
    For `pending` of the erased ones Vapi has not confirmed the deletion; Earshot asks until it does. `blocked`: the number is on the
    block list, and stays there.
    """

    erased: int
    failed: int
    pending: int = 0
    blocked: bool = False


async def known_of(desk: CallEraser, number: str, client: Client) -> NumberKnown:
    """What `erase_number` would delete of a number in E.164. Raises Forbidden, JournalError."""
    require(client, Scope.MANAGE)
    return NumberKnown(
        calls=len(await _ended_with(desk, number)),
        running=await _running_with(desk, number),
        contact=bool(desk.contacts.name_of(number)),
        blocked=number in desk.blocked.rules,
    )


async def erase_number(desk: CallEraser, number: str, client: Client) -> NumberErased:
    """Deletes the contact of a number in E.164 and the data of every call with it, and masks the number in the audit and wherever else it
    is written. What a call's erasure leaves, stays: its times and costs. The block list stays, since it protects the number.

    Raises Forbidden, NumberError for what is not a number, CallRunning while a call with the number runs or is scheduled, JournalError if
    the calls can't be read, and the errors of `Contacts.remove`.
    """
    require(client, Scope.MANAGE)
    spellings(number)  # what can't be masked in the end is refused before anything is deleted
    if running := await _running_with(desk, number):
        raise CallRunning(
            f"{running} calls with {masked(number)} run, are scheduled, or may yet be found. End or cancel them first.",
            code="number_has_calls",
        )
    found = await _ended_with(desk, number)
    places = asyncio.Semaphore(_AT_ONCE)

    async def erase(call: Call) -> Call | None:
        async with places:
            try:
                return await desk.erase(call.id, client)
            except EarshotError as error:
                log.warning("could not delete the data of a call whose number is being erased (%s)", error.code)
                return None

    left = await asyncio.gather(*(erase(call) for call in found))
    erased = [call for call in left if call]
    # Last: if this is interrupted, the number is still there and can be erased again.
    await desk.contacts.remove(number, client)
    if len(erased) == len(found):
        await desk.forget_number(number, client, calls=len(erased))
    return NumberErased(
        erased=len(erased),
        failed=len(found) - len(erased),
        pending=sum(1 for call in erased if call.erasure and not call.erasure.confirmed_at),
        blocked=number in desk.blocked.rules,
    )


async def _running_with(desk: CallEraser, number: str) -> int:
    await desk.settled()  # a call that has just ended holds its slot until that is written
    running = sum(1 for call in await desk.find_running() if call.to == number)
    return running or await desk.journal.numbers.open_dials(number)


async def _ended_with(desk: CallEraser, number: str) -> list[Call]:
    found: list[Call] = []
    before: tuple[datetime, str] | None = None
    while True:
        page = await desk.page_of_calls(statuses=[CallStatus.ENDED], search=number, before=before, limit=_PAGE)
        found += (call for call in page if call.to == number)
        last = page[-1] if page else None
        if len(page) < _PAGE or last is None or last.created_at is None:
            return found
        before = last.created_at, last.id
