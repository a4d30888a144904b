"""Erases a number: its contact, and the data of the ended calls with it, here and at Vapi."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.desk.contacts import Contacts
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import EarshotError
from services.domain.permissions import require

log = logging.getLogger(__name__)

_PAGE = 100  # calls


class CallEraser(Protocol):
    """The part of the desk that erasing a number needs."""

    contacts: Contacts

    async def erase(self, call_id: str, client: Client) -> Call: ...
    async def page_of_calls(
        self, *, statuses: Iterable[CallStatus], search: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[Call]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberErased:
    """How many calls' data was deleted, and of how many it could not be. Vapi may not have confirmed its part yet."""

    erased: int
    failed: int


async def erase_number(desk: CallEraser, number: str, client: Client) -> NumberErased:
    """Deletes the contact of a number in E.164, and the data of every ended call with it. Calls that run stay as they are.

    What a call's erasure leaves, stays: its times and costs, and the audit, which has the number. Raises JournalError if the calls can't
    be read, Forbidden, and the errors of `Contacts.remove`.
    """
    require(client, Scope.MANAGE)
    found = await _ended_with(desk, number)
    erased = 0
    for call in found:
        try:
            await desk.erase(call.id, client)
            erased += 1
        except EarshotError as error:
            log.warning("could not delete the data of a call with a number that is to be erased (%s)", error.code)
    await desk.contacts.remove(number, client)  # last: if this is interrupted, whoever asked finds the number and can ask again
    return NumberErased(erased=erased, failed=len(found) - erased)


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
