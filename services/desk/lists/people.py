"""The people who may sign in. They are in the journal, so that they hold in every process and after a restart."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar

from services.dialling.journal_states import FollowedState, States
from services.domain.caps import Caps, checked
from services.domain.client import PAGE, Client, Scope
from services.domain.errors import Forbidden, PersonNotFound, RequestError, Unauthorized
from services.domain.permissions import require
from services.domain.person import (
    LONGEST_NAME,
    MOST_PEOPLE,
    RESERVED,
    Person,
    Role,
    dumped,
    folded,
    loaded,
    make_person,
    person_name,
    spaced,
    unread,
)

T = TypeVar("T")

STATE = "people"
"""The name of the state in the journal."""

_DEAD_LINK = "This link was used before, or it is older than 48 hours. Ask an owner for a new one."


class People(FollowedState):
    """`note` writes the audit. `names_taken` returns the names of the API tokens: the audit must not mix them up with people.

    `changed` is emitted when any process adds, changes or removes somebody. Changes by a client need the scope `manage`.
    Methods that change something raise Forbidden and JournalError.
    """

    def __init__(
        self,
        journal: States,
        note: Callable[..., "asyncio.Task[None]"],
        *,
        names_taken: Callable[[], Collection[str]] = tuple,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(journal, STATE)
        self._note = note
        self._names_taken = names_taken
        self._now = now
        self._people: dict[str, Person] = {}

    def _read(self, value: str) -> None:
        self._people = loaded(value)

    def all(self) -> list[Person]:
        """By name, also those who have not signed in yet."""
        return sorted(self._people.values(), key=lambda person: folded(person.name))

    def get(self, person_id: str) -> Person:
        """Raises PersonNotFound."""
        if person := self._people.get(person_id):
            return person
        raise PersonNotFound()

    def of_login(self, login: str) -> Person | None:
        """The person of a session (`Person.login`), unless they were disabled or removed, or signed out everywhere, since it began."""
        person = self._people.get(login.partition(".")[0])
        return person if person and person.login == login and not person.disabled and person.name else None

    def is_owner(self, person_id: str) -> bool:
        """True for an owner who is not disabled."""
        return person_id in self._people and _is_owner(self._people[person_id])

    def named(self, name: str) -> Person | None:
        """The person with this name, who may be disabled."""
        wanted = folded(name)
        return next((person for person in self._people.values() if person.name and folded(person.name) == wanted), None)

    def client_of(self, person_id: str) -> Client:
        """The client of a person's id, also if disabled; the page's if it is empty. That of a removed person may call nobody."""
        if not person_id:
            return PAGE
        person = self._people.get(person_id)
        return person.client if person else Client(name="", scopes=frozenset(), caps=Caps(per_hour=0, per_day=0), person=person_id)

    def of_code(self, code: str) -> Person | None:
        """The person whose one-time link has this code."""
        return _opened(self._people, code, self._now())

    async def invite(self, name: str, role: Role, caps: Caps, client: Client) -> tuple[Person, str]:
        """Adds a person, and returns the code of the link by which they choose a password: nobody can read it again.

        Raises RequestError.
        """
        require(client, Scope.MANAGE)
        code, made = make_person(name, role, caps, now=self._now()).linked(self._now())

        def change(known: dict[str, Person]) -> None:
            self._check_name(made.name, known)
            _check_room(known)
            known[made.id] = made

        await self._change(change)
        self._note(client, "invite-person", outcome="done", detail=f"{made.name} {made.role}")
        return made, code

    async def invite_again(self, person_id: str, client: Client) -> str:
        """The code of a new link, for somebody who lost the first one or forgot the password. Earlier links are void.

        Raises PersonNotFound.
        """
        require(client, Scope.MANAGE)

        def change(known: dict[str, Person]) -> tuple[str, str]:
            code, known[person_id] = _of(known, person_id).linked(self._now())
            return known[person_id].name, code

        name, code = await self._change(change)
        self._note(client, "invite-person", outcome="done", detail=name)
        return code

    async def first_link(self) -> str:
        """The code of a link for the first owner; empty if there is an owner already. Links that other processes logged stay valid until
        there is one."""

        def change(known: dict[str, Person]) -> str:
            if any(map(_is_owner, known.values())):
                return ""
            now = self._now()
            first = next((person for person in known.values() if not person.name), None)
            first = first or replace(make_person("owner", Role.OWNER, Caps(), now=now), name="")
            code, known[first.id] = first.linked(now, keep=True)
            return code

        return await self._change(change)

    async def join(self, code: str, password: str, *, name: str = "") -> Person:
        """Uses up a one-time link: the person's password is the Argon2 hash `password` from now on. Only the first owner chooses a `name`.

        Raises Unauthorized for a link that is not valid, RequestError for a name that is not valid or is taken.
        """

        def change(known: dict[str, Person]) -> Person:
            person = _opened(known, code, self._now())
            if person is None:
                raise Unauthorized(_DEAD_LINK, code="link_not_valid")
            chosen = person.name
            if not chosen:
                chosen = person_name(name)
                self._check_name(chosen, known)
            known[person.id] = person.ended(name=chosen, password=password, links=())
            return known[person.id]

        joined = await self._change(change)
        self._note(joined.client, "set-password", outcome="done")
        return joined

    async def signed_in(self, subject: str, name: str, role: Role) -> Person:
        """The person whom an identity provider calls `subject`, with the role that it gives them; adds them the first time.

        If somebody else has the `name`, they get a number. Raises Forbidden (`person_disabled`), RequestError.
        """

        def change(known: dict[str, Person]) -> tuple[Person, bool]:
            before = next((person for person in known.values() if person.subject == subject), None)
            added = before is None
            if before is None:
                _check_room(known)
                before = make_person(self._free_name(name, known), role, Caps(), now=self._now(), subject=subject)
            if before.disabled:
                raise Forbidden("An owner of this Earshot has disabled your access. Ask them.", code="person_disabled")
            found = known[before.id] = before if before.role is role else before.ended(role=role)
            return found, added

        found, added = await self._change(change)
        if added:
            self._note(found.client, "add-person", outcome="done", detail=_described(found))
        return found

    async def change(
        self,
        person_id: str,
        client: Client,
        *,
        role: Role | None = None,
        caps: Caps | None = None,
        disabled: bool | None = None,
    ) -> Person:
        """Changes the fields that are given, and ends the person's sessions if it changes anything. Raises PersonNotFound, RequestError."""
        require(client, Scope.MANAGE)

        def change(known: dict[str, Person]) -> tuple[Person, bool]:
            before = _of(known, person_id)
            after = replace(
                before,
                role=before.role if role is None else role,
                caps=before.caps if caps is None else checked(caps),
                disabled=before.disabled if disabled is None else disabled,
            )
            if after == before:
                return before, False
            known[person_id] = after.ended(links=() if after.disabled else after.links)
            _check_owner(known, before)
            return known[person_id], True

        person, changed = await self._change(change)
        if changed:
            self._note(client, "change-person", outcome="done", detail=_described(person))
        return person

    async def remove(self, person_id: str, client: Client) -> bool:
        """Removes a person and ends their sessions; False if there is no such person. Raises RequestError for the last owner."""
        require(client, Scope.MANAGE)

        def change(known: dict[str, Person]) -> Person | None:
            removed = known.pop(person_id, None)
            if removed:
                _check_owner(known, removed)
            return removed

        removed = await self._change(change)
        if removed:
            self._note(client, "remove-person", outcome="done", detail=removed.name)
        return removed is not None

    async def _change(self, change: Callable[[dict[str, Person]], T]) -> T:
        """Returns what `change` returns. It is called again if the transaction is repeated."""
        results: list[T] = []

        def changed(value: str) -> str:
            known = loaded(value)
            before = dict(known)
            results.append(change(known))
            return value if known == before else dumped(known.values(), unread(value))

        await self._change_state(changed)
        return results[-1]

    def _check_name(self, name: str, known: dict[str, Person]) -> None:
        if folded(name) in self._taken(known):
            raise RequestError("Somebody else, or an API token, has this name.", code="person_name_taken")

    def _taken(self, known: dict[str, Person]) -> set[str]:
        return {folded(person.name) for person in known.values()} | {folded(name) for name in self._names_taken()}

    def _free_name(self, name: str, known: dict[str, Person]) -> str:
        """The provider's name without what a name can't have here, and with a number if it is taken."""
        taken = self._taken(known) | RESERVED
        plain = "".join(filter(str.isprintable, spaced(name)))
        names = (f"{plain[: LONGEST_NAME - 5]} {number}" if number > 1 else plain[:LONGEST_NAME] for number in count(1))
        return person_name(next(one for one in names if folded(one) not in taken))


def _of(known: dict[str, Person], person_id: str) -> Person:
    if person := known.get(person_id):
        return person
    raise PersonNotFound()


def _opened(known: dict[str, Person], code: str, now: datetime) -> Person | None:
    """The person whose one-time link has this code; nobody gets in by the first owner's, which is in a log, once there is an owner.
    Compares all, so that the duration reveals nothing."""
    owned = any(map(_is_owner, known.values()))
    found = [one for one in known.values() if one.opened_by(code, now) and not one.disabled and (one.name or not owned)]
    return found[0] if found else None


def _check_room(known: dict[str, Person]) -> None:
    if len(known) >= MOST_PEOPLE:
        raise RequestError(f"There can be {MOST_PEOPLE} people at most. Remove some.", code="too_many_people")


def _described(person: Person) -> str:
    return f"{person.name} {person.role}{' disabled' if person.disabled else ''}"


def client_of_login(people: People, login: str) -> Client | None:
    """The client of a session; None if its person was disabled or removed, or has ended it. An empty `login` is the shared password's."""
    if not login:
        return PAGE
    person = people.of_login(login)
    return person.client if person else None


def _is_owner(person: Person) -> bool:
    return person.role is Role.OWNER and person.joined and not person.disabled


def _check_owner(known: dict[str, Person], before: Person) -> None:
    """Raises RequestError if `before` was the last owner."""
    if _is_owner(before) and not any(map(_is_owner, known.values())):
        raise RequestError("This is the last owner. Make somebody else an owner first.", code="last_owner")
