"""Which process records which call: a lease that its holder renews, and that another takes over when the holder is silent."""

import time
from collections.abc import Collection

import sqlalchemy as sa

from services.journal.database.schema import leases

_STALE_MS = 6000  # processes renew, and look for stale leases, every 2 s: a lease is taken over within 8 s

_SERVER_CLOCK = sa.select(sa.literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", sa.BigInteger))


def take(connection: sa.Connection, call_id: str, instance: str) -> bool:
    """Takes the lease of a call, or returns False if another process holds it."""
    now = _now(connection)
    of = leases.c.call_id == call_id
    row = connection.execute(sa.select(leases).where(of)).one_or_none()
    if row is None:
        connection.execute(leases.insert().values(call_id=call_id, instance=instance, renewed_at=now))
        return True
    if row.instance != instance and row.renewed_at > now - _STALE_MS:
        return False
    connection.execute(leases.update().where(of).values(instance=instance, renewed_at=now))
    return True


def renew(connection: sa.Connection, call_ids: Collection[str], instance: str) -> set[str]:
    """Renews these leases. Returns those that another process has taken over."""
    mine = leases.c.call_id.in_(call_ids) & (leases.c.instance == instance)
    connection.execute(leases.update().where(mine).values(renewed_at=_now(connection)))
    lost = sa.select(leases.c.call_id).where(leases.c.call_id.in_(call_ids), leases.c.instance != instance)
    return set(connection.execute(lost).scalars())


def stale(connection: sa.Connection) -> list[str]:
    """The calls whose leases nobody renews."""
    return list(connection.execute(sa.select(leases.c.call_id).where(leases.c.renewed_at <= _now(connection) - _STALE_MS)).scalars())


def release(connection: sa.Connection, call_id: str, instance: str) -> None:
    connection.execute(leases.delete().where(leases.c.call_id == call_id, leases.c.instance == instance))


def hand_over(connection: sa.Connection, instance: str) -> None:
    """Lets others take over all leases of this process at once."""
    connection.execute(leases.update().where(leases.c.instance == instance).values(renewed_at=0))


def _now(connection: sa.Connection) -> int:
    """Milliseconds by the clock that all processes share: PostgreSQL's, or this machine's."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(_SERVER_CLOCK).scalar_one())
    return int(time.time() * 1000)
