"""People who sign in with a name, their roles, and the one-time links by which they choose a password. Pure."""

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.caps import Caps, caps_from_json, caps_to_json, checked
from services.domain.client import LOCAL, PAGE, Client, Scope
from services.domain.errors import RequestError

MOST_PEOPLE = 1000
LONGEST_NAME = 60
LINK_LASTS = timedelta(hours=48)
MOST_LINKS = 5
"""Links of one person: each process that starts before there is an owner logs its own."""
RESERVED = frozenset({PAGE.name, LOCAL.name, "file"})


class Role(StrEnum):
    """What a person may do. Each role includes those before it."""

    VIEWER = "viewer"
    """See calls, and what was said in them."""
    LISTENER = "listener"
    """Hear calls: live, and their recordings."""
    CALLER = "caller"
    """Place calls; hang up, steer, record, annotate and move the calls that they placed."""
    SUPERVISOR = "supervisor"
    """The same with any call, transfers, stopping all dialling, insights and export."""
    OWNER = "owner"
    """Everything: people, tokens, webhooks, lifting the stop, deletion, the audit."""


_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.LISTENER: frozenset({Scope.READ, Scope.LISTEN}),
    Role.CALLER: frozenset({Scope.READ, Scope.LISTEN, Scope.CALL, Scope.CONTROL}),
    Role.SUPERVISOR: frozenset({Scope.READ, Scope.LISTEN, Scope.CALL, Scope.CONTROL, Scope.TRANSFER}),
    Role.OWNER: frozenset(Scope) - {Scope.MCP},  # which is for programs
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-time link. `digest` is the SHA-256 of its code in hex: a fast hash is enough for 256 random bits."""

    digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`name` is empty for the first owner until they choose one. `password` is an Argon2 hash, `subject` who they are at an identity
    provider; both are empty until they have signed in. Sessions of an earlier `generation` are over.
    """

    id: str
    name: str
    role: Role
    made_at: datetime
    caps: Caps = field(default_factory=Caps)
    disabled: bool = False
    password: str = field(default="", repr=False)
    subject: str = ""
    links: tuple[Link, ...] = ()
    generation: int = 0

    @property
    def joined(self) -> bool:
        """True once they can sign in."""
        return bool(self.name and (self.password or self.subject))

    @property
    def login(self) -> str:
        """What a session keeps of the person."""
        return f"{self.id}.{self.generation}"

    @property
    def client(self) -> Client:
        withheld = frozenset[Scope]() if self.caps.transfer else frozenset({Scope.TRANSFER})
        return Client(
            name=self.name,
            scopes=_SCOPES[self.role] - withheld,
            caps=self.caps,
            own_calls_only=self.role is Role.CALLER,
            reports=self.role in (Role.SUPERVISOR, Role.OWNER),
            person=self.id,
        )

    def opened_by(self, code: str, now: datetime) -> bool:
        """True if the code is that of one of their links, and the link is still valid."""
        digest = _digest(code)
        return any(hmac.compare_digest(digest, link.digest) and now < link.expires_at for link in self.links)

    def linked(self, now: datetime, *, keep: bool = False) -> "tuple[str, Person]":
        """The code of a new link, and the person with it. Other links are void unless `keep`."""
        code = secrets.token_urlsafe(32)
        links = (*(self.links if keep else ()), Link(digest=_digest(code), expires_at=now + LINK_LASTS))
        return code, replace(self, links=links[-MOST_LINKS:])

    def ended(self, **changes: Any) -> "Person":
        """The person with changes that end their sessions."""
        return replace(self, generation=self.generation + 1, **changes)


def person_name(text: str) -> str:
    """The name as it is kept. Raises RequestError if it can't be shown in the audit, calls and notes."""
    name = spaced(text)
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or folded(name) in RESERVED or not any(map(str.isalnum, name)):
        raise RequestError(f"Give a name of 1 to {LONGEST_NAME} letters, digits, spaces and signs.", code="invalid_person_name")
    return name


def spaced(text: str) -> str:
    """Compatible characters made one (NFKC), and single spaces between words."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def folded(name: str) -> str:
    """The name as it is compared: Ana and ANA are one person."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def make_person(name: str, role: Role, caps: Caps, *, now: datetime, subject: str = "") -> Person:
    """A new person. Raises RequestError for a name or caps that can't be."""
    return Person(id=secrets.token_hex(8), name=person_name(name), role=role, made_at=now, caps=checked(caps), subject=subject)


def dumped(people: Iterable[Person], others: Iterable[str] = ()) -> str:
    """The people as the journal keeps them: one per line, as JSON. `others` are lines that this version can't read."""
    return "".join(f"{line}\n" for line in (*others, *map(_line, people)))


def loaded(text: str) -> dict[str, Person]:
    """The people by their ids, oldest first. A line that can't be read is skipped: that person can't log in."""
    return {person.id: person for person in map(_read, text.splitlines()) if person}


def unread(text: str) -> Sequence[str]:
    """The lines that this version can't read: a newer one may have written them."""
    return [line for line in text.splitlines() if _read(line) is None]


def _line(person: Person) -> str:
    return json.dumps(
        {
            "id": person.id,
            "name": person.name,
            "role": person.role,
            "made_at": person.made_at.isoformat(),
            "caps": caps_to_json(person.caps),
            "disabled": person.disabled,
            "password": person.password,
            "subject": person.subject,
            "links": [[link.digest, link.expires_at.isoformat()] for link in person.links],
            "generation": person.generation,
        }
    )


def _read(line: str) -> Person | None:
    try:
        row = json.loads(line)
        return Person(
            id=row["id"],
            name=row["name"],
            role=Role(row["role"]),
            made_at=_time(row["made_at"]),
            caps=caps_from_json(row["caps"]),
            disabled=row["disabled"],
            password=row["password"],
            subject=row["subject"],
            links=tuple(Link(digest=digest, expires_at=_time(at)) for digest, at in row["links"]),
            generation=row["generation"],
        )
    except (ValueError, TypeError, KeyError):
        return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
