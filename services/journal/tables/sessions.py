"""Login sessions: who is logged in on the page, in whichever process. Only keyed hashes of their ids are stored."""

from datetime import datetime

import sqlalchemy as sa

from services.journal.database.codec import milliseconds, time_of
from services.journal.database.revisions import raised
from services.journal.database.schema import sessions
from services.journal.records import Session

_MOST = 10_000


def save(connection: sa.Connection, session: Session) -> None:
    """Saves a session. One that has ended stays so."""
    of = sessions.c.key == session.key
    known = get(connection, session.key)
    values = {"used_at": milliseconds(session.used_at), "ended": int(session.ended), "revision": raised(connection)}
    if known is None:
        connection.execute(
            sessions.insert().values(key=session.key, begun_at=milliseconds(session.begun_at), login=session.login, **values)
        )
    else:
        ended, used_at = session.ended or known.ended, max(session.used_at, known.used_at)
        connection.execute(sessions.update().where(of).values(values | {"ended": int(ended), "used_at": milliseconds(used_at)}))


def get(connection: sa.Connection, key: str) -> Session | None:
    return next(iter(_found(connection, sessions.c.key == key)), None)


def living(connection: sa.Connection, begun_since: datetime) -> list[Session]:
    """The sessions that have not been ended, oldest first."""
    return _found(connection, (sessions.c.ended == 0) & (sessions.c.begun_at > milliseconds(begun_since)))


def written_since(connection: sa.Connection, revision: int) -> list[Session]:
    return _found(connection, sessions.c.revision > revision)


def _found(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Session]:
    rows = connection.execute(sa.select(sessions).where(which).order_by(sessions.c.begun_at).limit(_MOST))
    return [
        Session(key=row.key, begun_at=time_of(row.begun_at), used_at=time_of(row.used_at), ended=bool(row.ended), login=row.login)
        for row in rows
    ]
