"""The tables, for use in statements. `migrations` creates them."""

import sqlalchemy as sa


def _table(name: str, /, **columns: type[sa.String | sa.Integer | sa.Double[float]]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))


dials = _table(
    "earshot_dials",
    tag=sa.String,
    client=sa.String,
    to_number=sa.String,
    asked=sa.String,
    state=sa.String,
    instance=sa.String,
    dialled_at=sa.BigInteger,
    call_id=sa.String,
    key=sa.String,
    fingerprint=sa.String,
    first_call=sa.String,
    slot_from=sa.BigInteger,
    slot_until=sa.BigInteger,
    hang_up_by=sa.String,
    confirmed_by=sa.String,
    person=sa.String,
)
"""One row per dial. It holds the idempotency key while that is valid, so that both are written together.
`first_call` is the call that the key is answered with. The dial holds a slot from `slot_from` until `slot_until`, which is null once the
slot is free. `hang_up_by` is who wants its call ended as soon as it is known. `person` is the id of the person who placed it, or who
agreed to it if an assistant asked; empty if that was nobody with a name. It is null where an earlier version wrote the row: there
`confirmed_by` is the name of the person who agreed. It is not written any more."""

calls = _table(
    "earshot_calls",
    id=sa.String,
    tag=sa.String,
    status=sa.String,
    created_at=sa.BigInteger,
    words=sa.String,
    data=sa.String,
    ended_reason=sa.String,
    said=sa.String,
    revision=sa.BigInteger,
    speaker=sa.String,
    caller=sa.String,
    outgoing=sa.Integer,
    answered=sa.Integer,
    talk_ms=sa.BigInteger,
    cost=sa.Double,
    response_ms=sa.BigInteger,
    interrupted=sa.Integer,
    barged_in=sa.Integer,
)
"""One row per call as last read. `data` is the whole call. A search looks in `words` and in `said`: the
transcript after the end, notes, tags and disposition. What is counted stands in columns of its own: `speaker` is the id of the assistant
or squad, `caller` that of the caller ID, both empty if unknown. Of what was measured of the conversation: `response_ms` is the median time
until the assistant answers, `interrupted` how often the assistant interrupted the customer, `barged_in` how often the customer the
assistant; null if it was not measured."""

search_index = _table("earshot_search", rowid=sa.Integer)
search_rows = _table("earshot_search_rows", number=sa.Integer, call_id=sa.String)
search_terms = _table("earshot_search_terms", term=sa.String, doc=sa.Integer)
"""SQLite's index of the trigrams in `words` and `said` of ended calls, the calls of its rows, and its trigrams with the number of rows that
have each. Triggers keep them up to date."""

transcripts = _table("earshot_transcripts", call_id=sa.String, lines=sa.String)
"""The transcripts of ended calls, line by line, as JSON."""

notes = _table("earshot_notes", id=sa.BigInteger, call_id=sa.String, at=sa.BigInteger, who=sa.String, moment=sa.BigInteger, text=sa.String)
"""Notes on calls. `moment` is the place in the recording that one is about, in milliseconds; null: the whole call."""

labels = _table("earshot_labels", call_id=sa.String, kind=sa.String, text=sa.String, who=sa.String, at=sa.BigInteger)
"""The tags of calls (kind `tag`), and at most one `disposition` of each."""

measures = _table("earshot_measures", call_id=sa.String, measurer=sa.String, data=sa.String, brief=sa.String, revision=sa.BigInteger)
"""What was measured of each call's conversation, as JSON: all of it, and in brief for answers about many calls.
`measurer` is the process that measures the call now; empty: none."""

alerts = _table("earshot_alerts", call_id=sa.String, rule=sa.String, at=sa.BigInteger, data=sa.String, revision=sa.BigInteger)
"""That a rule, by its id, applied to a call. `data` has the rule as it was then, and what was said or measured, as JSON."""

audit = _table(
    "earshot_audit",
    id=sa.BigInteger,
    at=sa.BigInteger,
    who=sa.String,
    action=sa.String,
    call_id=sa.String,
    to_number=sa.String,
    outcome=sa.String,
    detail=sa.String,
    words=sa.String,
)

revision = _table("earshot_revision", number=sa.BigInteger)
"""A single row: the number of transactions that wrote rows which other processes follow. Such rows have the number of theirs."""

states = _table("earshot_states", name=sa.String, value=sa.String, revision=sa.BigInteger)
"""Small states of the whole installation, each a text under a name."""

sessions = _table(
    "earshot_sessions",
    key=sa.String,
    begun_at=sa.BigInteger,
    used_at=sa.BigInteger,
    ended=sa.Integer,
    revision=sa.BigInteger,
    login=sa.String,
)
"""The logins of the page. `login` says whose each is (`Person.login`); empty: a user with the shared password."""

recordings = _table(
    "earshot_recordings",
    call_id=sa.String,
    recorder=sa.String,
    renewed_at=sa.BigInteger,
    heard_from=sa.BigInteger,
    switched_off=sa.Integer,
    stored=sa.Integer,
    deleted_at=sa.BigInteger,
    swept=sa.Integer,
    revision=sa.BigInteger,
)
"""The recordings of calls. `recorder` is the process that records the call now, by a lease that it renewed at `renewed_at`; empty: none.
`heard_from` is when the first sound came that was recorded under this lease, 0 if none; without a lease, when the latest part began.
`switched_off`: somebody stopped the recording. `stored`: the store has parts of it. Parts that began before `deleted_at` are deleted, in
the store once `swept`."""

erasures = _table("earshot_erasures", call_id=sa.String, who=sa.String, asked_at=sa.BigInteger, confirmed_at=sa.BigInteger)
"""The calls whose data was deleted. `confirmed_at` is when Vapi had deleted it too; null while that is not certain."""

endpoints = _table(
    "earshot_endpoints",
    id=sa.String,
    url=sa.String,
    secret=sa.String,
    kinds=sa.String,
    made_at=sa.BigInteger,
    made_by=sa.String,
    disabled_at=sa.BigInteger,
    holder=sa.String,
    renewed_at=sa.BigInteger,
)
"""Where events are sent. `kinds` are those that it gets, separated by spaces; empty: all. `disabled_at` is when its receiver answered that
it is gone, or when somebody disabled it; null: it gets events. `holder` is the process that sends to it, by a lease that it renewed at
`renewed_at`; empty: none."""

outbox = _table(
    "earshot_outbox",
    id=sa.BigInteger,
    endpoint=sa.String,
    call_id=sa.String,
    kind=sa.String,
    at=sa.BigInteger,
    data=sa.String,
    state=sa.String,
    since=sa.BigInteger,
    attempts=sa.Integer,
    next_at=sa.BigInteger,
    status=sa.Integer,
    problem=sa.String,
)
"""Events for endpoints: one row per event and endpoint, sent in the order of `id` for each call. `data` is the call as it was, or what else
belongs to the event, as JSON. `since` is when it was first to be sent, or was to be sent again, and `next_at` when it is to be sent next: a
constant of `turns` while it waits for an earlier event of its call. `status` and `problem` are the answer to the last attempt."""

instances = _table("earshot_instances", id=sa.String, seen_at=sa.BigInteger)
"""The processes on one PostgreSQL database, and each one's last heartbeat by the database's clock."""

schema_version = _table("earshot_schema", version=sa.Integer)
