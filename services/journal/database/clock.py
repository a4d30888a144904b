"""The clock that all processes on one database share: PostgreSQL's, or this machine's."""

import time

import sqlalchemy as sa

_SERVER_CLOCK = sa.select(sa.literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", sa.BigInteger))


def shared_ms(connection: sa.Connection) -> int:
    """Milliseconds since 1970."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(_SERVER_CLOCK).scalar_one())
    return int(time.time() * 1000)
