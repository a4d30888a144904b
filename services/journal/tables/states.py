"""Small states of the whole installation, each a text under a name: the stop switch, the block list, the key that signs tickets."""

from collections.abc import Callable, Collection

import sqlalchemy as sa

from services.journal.database.codec import storable
from services.journal.database.revisions import raised
from services.journal.database.schema import states

_ALL = sa.select(states)
_ONE = _ALL.where(states.c.name == sa.bindparam("name"))

State = tuple[str, int]
"""The text, empty if there is none, and the revision that wrote it."""


def get(connection: sa.Connection, name: str) -> State:
    row = connection.execute(_ONE, {"name": name}).one_or_none()
    return (row.value, row.revision) if row else ("", 0)


def among(connection: sa.Connection, names: Collection[str]) -> dict[str, State]:
    """What `get` finds for each of these names."""
    known = {row.name: (row.value, row.revision) for row in connection.execute(_ALL)}  # there are few others
    return {name: known.get(name, ("", 0)) for name in names}


def change(connection: sa.Connection, name: str, change: Callable[[str], str]) -> State:
    """Replaces a text by what `change` makes of it, and returns what is stored then."""
    value, revision = get(connection, name)
    wanted = storable(change(value))
    if wanted == value:
        return value, revision
    now = raised(connection)
    if revision:
        connection.execute(states.update().where(states.c.name == name).values(value=wanted, revision=now))
    else:
        connection.execute(states.insert().values(name=name, value=wanted, revision=now))
    return wanted, now


def newest(connection: sa.Connection) -> int:
    """The revision of the latest change of any of them."""
    return connection.execute(sa.select(sa.func.max(states.c.revision))).scalar() or 0


def written_since(connection: sa.Connection, revision: int) -> dict[str, State]:
    rows = connection.execute(sa.select(states).where(states.c.revision > revision))
    return {row.name: (row.value, row.revision) for row in rows}
