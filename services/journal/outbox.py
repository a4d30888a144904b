"""The journal of webhooks: where events are sent, and what came of each. The events themselves are written with what they are about."""

from collections.abc import Sequence
from functools import partial

from services.journal.database.database import Database
from services.journal.records import AuditRow, Delivery, Endpoint, EventKind
from services.journal.tables import endpoints
from services.journal.tables.endpoints import MOST, Attempt

__all__ = ["MOST", "Attempt", "OutboxJournal"]


class OutboxJournal:
    """One process's view. Methods raise JournalError. Those with a `row` add it to the audit if they change anything."""

    def __init__(self, database: Database, instance: str) -> None:
        self._database = database
        self._instance = instance

    async def endpoints(self) -> list[Endpoint]:
        """All endpoints, oldest first."""
        return await self._database.read(endpoints.every)

    async def add(self, endpoint: Endpoint, row: AuditRow) -> bool:
        """False if there are too many."""
        return await self._database.write(partial(endpoints.add, endpoint=endpoint, row=row))

    async def remove(self, endpoint_id: str, row: AuditRow) -> bool:
        """Deletes an endpoint with all its events. False if there is none with this id."""
        return await self._database.write(partial(endpoints.remove, endpoint_id=endpoint_id, row=row))

    async def enable(self, endpoint_id: str, row: AuditRow) -> bool:
        """Sends events to an endpoint again whose receiver said that it is gone. False if there is none with this id."""
        return await self._database.write(partial(endpoints.enable, endpoint_id=endpoint_id, row=row))

    async def disable(self, endpoint_id: str, row: AuditRow) -> bool:
        """Sends no more events to an endpoint; those that wait are kept. False if there is none with this id."""
        return await self._database.write(partial(endpoints.disable, endpoint_id=endpoint_id, row=row))

    async def choose(self, endpoint_id: str, kinds: Sequence[EventKind], row: AuditRow) -> bool:
        """Sends an endpoint events of these kinds from now on; none: of all. False if there is none with this id."""
        return await self._database.write(partial(endpoints.choose, endpoint_id=endpoint_id, kinds=kinds, row=row))

    async def deliveries(self, endpoint_id: str, limit: int = 50) -> list[Delivery]:
        """The newest events of an endpoint first."""
        return await self._database.read(partial(endpoints.deliveries, endpoint_id=endpoint_id, limit=limit))

    async def again(self, endpoint_id: str, delivery_id: int, row: AuditRow) -> Delivery | None:
        """Has an event sent again. None if the endpoint has no such one."""
        return await self._database.write(partial(endpoints.again, endpoint_id=endpoint_id, delivery_id=delivery_id, row=row))

    async def due(self) -> list[str]:
        """The endpoints that have events to be sent now, and that no other process sends to."""
        return await self._database.read(partial(endpoints.due, instance=self._instance))

    async def hold(self, endpoint_id: str) -> bool:
        """Makes this process the one that sends to an endpoint; to be renewed every 2 seconds. False if another process is."""
        return await self._database.write(partial(endpoints.hold, endpoint_id=endpoint_id, instance=self._instance))

    async def release(self, endpoint_id: str) -> None:
        await self._database.write(partial(endpoints.release, endpoint_id=endpoint_id, instance=self._instance))

    async def next_events(self, endpoint_id: str, most: int) -> tuple[Endpoint | None, list[Delivery]]:
        """The endpoint, None if this process may not send to it, and what may be sent now: of each call the oldest event that waits."""
        return await self._database.read(partial(endpoints.next_events, endpoint_id=endpoint_id, instance=self._instance, most=most))

    async def settle(self, attempt: Attempt) -> None:
        """Writes down what came of an attempt, unless another process sends to the endpoint by now."""
        await self._database.write(partial(endpoints.settle, attempt=attempt, instance=self._instance))
