"""A question whether an assistant's dial is confirmed, and how the journal keeps those that are open or remembered. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from services.domain.call import CallOrder
from services.domain.client import Client
from services.domain.errors import KeyReused
from services.journal.database.codec import load_order

ANSWER_WITHIN = timedelta(minutes=2)
"""How long a question waits for its answer, and for how long an answer is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialQuestion:
    """`client` wants to place `order`; `token` is the id of the token by which it asks, if it was made on the page. `agreed` is None until
    somebody answers, `answered_at` and `answered_by` then say when and who: the id of a person, empty for the shared password.

    The process in which somebody agreed dials: then `placed`, or `failed` with the code of the problem and `why` in a sentence.

    `key` and `fingerprint` are those of the dial: the journal places one call for them, whoever dials. `shown`: some page shows it.
    """

    id: str
    client: str
    key: str
    fingerprint: str
    order: str
    asked_at: datetime
    allow_duplicate: bool = False
    shown: bool = False
    agreed: bool | None = None
    answered_at: datetime | None = None
    answered_by: str = ""
    token: str = ""
    placed: bool = False
    failed: str = ""
    why: str = ""

    @property
    def expires_at(self) -> datetime:
        return self.asked_at + ANSWER_WITHIN

    @property
    def settled(self) -> bool:
        """True once it was refused, or the outcome of the dial is known."""
        return self.agreed is False or self.placed or bool(self.failed)

    def asked_by(self, client: Client) -> bool:
        """Compares the token's id too: a new token may have the name of a revoked one."""
        return (self.client, self.token) == (client.name, client.token)

    def waiting(self, now: datetime) -> bool:
        """True while it can be answered."""
        return self.agreed is None and now < self.expires_at

    def remembered(self, now: datetime) -> bool:
        """True while the same request gets this question's answer, or that nobody answered, instead of asking again."""
        return now < (self.answered_at or self.expires_at) + ANSWER_WITHIN

    def load_order(self) -> CallOrder:
        return load_order(self.order)


def same(known: dict[str, DialQuestion], client: Client, key: str | None, fingerprint: str, now: datetime) -> DialQuestion | None:
    """With a key, the question with that key; else the newest question of the same request. None if there is none."""
    for question in reversed(known.values()):
        if not question.asked_by(client) or not question.remembered(now):
            continue
        if key is not None and question.key == key:
            if question.fingerprint != fingerprint:
                raise KeyReused("This idempotency key was used for another request. Use a new key for each call.")
            return question
        if key is None and question.fingerprint == fingerprint:
            return question
    return None


def dumped(questions: Iterable[DialQuestion]) -> str:
    """One per line, as JSON."""
    lines = []
    for question in questions:
        row = asdict(question) | {"asked_at": question.asked_at.isoformat()}
        lines.append(json.dumps(row | {"answered_at": question.answered_at.isoformat() if question.answered_at else None}) + "\n")
    return "".join(lines)


def loaded(text: str) -> dict[str, DialQuestion]:
    """By id, oldest first. A line that can't be read is skipped, so nothing is dialled for it."""
    found = {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
            times = {name: datetime.fromisoformat(row[name]).astimezone(UTC) if row[name] else None for name in ("asked_at", "answered_at")}
            question = DialQuestion(**row | times)
            question.load_order()
        except (ValueError, TypeError, KeyError):
            continue
        found[question.id] = question
    return found
