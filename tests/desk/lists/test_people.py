"""People with names, roles and caps: in every process, after a restart, and never without an owner."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.lists import people as module
from services.desk.lists.people import STATE, People
from services.domain.caps import Caps
from services.domain.client import PAGE, Scope
from services.domain.errors import EarshotError, Forbidden, PersonNotFound, RequestError, Unauthorized
from services.domain.person import LINK_LASTS, MOST_LINKS, Person, Role, dumped, loaded
from services.journal import Journal
from tests.desks import desk_in
from tests.journal.conftest import Clock
from tests.patience import HANG_S

HASH = "$argon2id$one"


async def opened(journal: Journal, noted: list[Any] | None = None, **more: Any) -> People:
    def note(client: Any, action: str, *, outcome: str, detail: str = "") -> Any:
        (noted if noted is not None else []).append((client.name, action, detail))

    people = People(journal, note, **more)
    await people.load()
    return people


async def joined(people: People, name: str, role: Role = Role.OWNER, caps: Caps | None = None) -> Person:
    _, code = await people.invite(name, role, caps or Caps(), PAGE)
    return await people.join(code, HASH)


async def refused(what: Any) -> str:
    with pytest.raises(EarshotError) as caught:
        await what
    return caught.value.code


async def test_an_invited_person_joins_by_a_link_that_works_once(journal: Journal) -> None:
    noted: list[Any] = []
    people = await opened(journal, noted)
    invited, code = await people.invite("  Ana  Flores ", Role.CALLER, Caps(), PAGE)
    assert (invited.name, invited.joined) == ("Ana Flores", False)
    assert people.of_code(code) == invited
    ana = await people.join(code, HASH, name="Somebody else")
    assert (ana.name, ana.password, ana.joined, ana.id) == ("Ana Flores", HASH, True, invited.id)
    assert people.named("ana FLORES") == ana
    assert people.of_code(code) is None
    assert await refused(people.join(code, "$other")) == "link_not_valid"
    assert people.named("Ana Flores") == ana
    assert noted == [("page", "invite-person", "Ana Flores caller"), ("Ana Flores", "set-password", "")]


async def test_a_link_is_good_for_two_days_and_only_its_hash_is_kept(journal: Journal) -> None:
    clock = Clock()
    people = await opened(journal, now=clock)
    ana, code = await people.invite("Ana", Role.VIEWER, Caps(), PAGE)
    text, _ = await journal.state(STATE)
    assert code not in text
    for wrong in ("", code + "x", code[:-1], code.lower(), "\ud800"):
        assert people.of_code(wrong) is None
    clock.now += LINK_LASTS - timedelta(seconds=1)
    assert people.of_code(code) == ana
    again = await people.invite_again(ana.id, PAGE)
    assert people.of_code(code) is None
    assert people.of_code(again)
    clock.now += LINK_LASTS
    assert await refused(people.join(again, HASH)) == "link_not_valid"


async def test_the_first_owner_chooses_a_name_and_each_process_logs_a_link(journal: Journal) -> None:
    people = await opened(journal)
    codes = [await people.first_link() for _ in range(MOST_LINKS + 1)]
    assert len(people.all()) == 1
    assert [bool(people.of_code(code)) for code in codes] == [False] + [True] * MOST_LINKS
    assert await refused(people.join(codes[1], HASH, name=" ")) == "invalid_person_name"
    owner = await people.join(codes[1], HASH, name="Ana")
    assert (owner.name, owner.client.scopes) == ("Ana", frozenset(Scope) - {Scope.MCP})
    assert await people.first_link() == ""
    assert not any(people.of_code(code) for code in codes)


async def test_a_link_for_the_first_owner_opens_nothing_once_there_is_one(journal: Journal) -> None:
    people = await opened(journal)
    code = await people.first_link()
    owner = await joined(people, "Ana")
    assert people.of_code(code) is None
    assert await refused(people.join(code, HASH, name="Eve")) == "link_not_valid"
    assert [person.name for person in people.all() if person.joined] == [owner.name]


async def test_what_each_role_may() -> None:
    def of(role: Role, caps: Caps | None = None) -> Person:
        return Person(id="a", name="Ana", role=role, made_at=Clock()(), caps=caps or Caps())

    scopes = [of(role).client.scopes for role in Role]
    assert scopes[0] == {Scope.READ}
    assert scopes[1] == {Scope.READ, Scope.LISTEN}
    assert scopes[2] == {Scope.READ, Scope.LISTEN, Scope.CALL, Scope.CONTROL}
    assert scopes[3] == {Scope.READ, Scope.LISTEN, Scope.CALL, Scope.CONTROL, Scope.TRANSFER}
    assert scopes[4] == set(Scope) - {Scope.MCP}
    assert [of(role).client.own_calls_only for role in Role] == [False, False, True, False, False]
    assert [of(role).client.reports for role in Role] == [False, False, False, True, True]
    assert Scope.TRANSFER not in of(Role.SUPERVISOR, Caps(transfer=False)).client.scopes


async def test_there_is_always_an_owner(journal: Journal) -> None:
    people = await opened(journal)
    ana = await joined(people, "Ana")
    await people.invite("Ben", Role.OWNER, Caps(), PAGE)  # who has not joined
    for change in (people.remove(ana.id, PAGE), people.change(ana.id, PAGE, role=Role.VIEWER), people.change(ana.id, PAGE, disabled=True)):
        assert await refused(change) == "last_owner"
    assert people.of_login(ana.login) == ana
    await joined(people, "Zoe")
    await people.change(ana.id, PAGE, disabled=True)
    assert people.of_login(ana.login) is None


async def test_a_change_ends_earlier_logins_and_nothing_changed_does_not(journal: Journal) -> None:
    noted: list[Any] = []
    people = await opened(journal, noted)
    await joined(people, "Owner")
    ana = await joined(people, "Ana", Role.CALLER)
    del noted[:]
    assert await people.change(ana.id, PAGE, role=Role.CALLER) == ana
    assert (people.of_login(ana.login), noted) == (ana, [])
    changed = await people.change(ana.id, PAGE, caps=Caps(per_hour=3, regions=frozenset({"US"}), record=False))
    assert people.of_login(ana.login) is None
    assert people.of_login(changed.login) == changed
    assert (await opened(journal)).get(ana.id) == changed
    disabled = await people.change(ana.id, PAGE, disabled=True)
    assert people.of_login(disabled.login) is None
    assert noted[-1] == ("page", "change-person", "Ana caller disabled")
    assert await people.remove(ana.id, PAGE)
    assert not await people.remove(ana.id, PAGE)
    with pytest.raises(PersonNotFound):
        await people.change(ana.id, PAGE, role=Role.OWNER)


async def test_a_disabled_persons_link_opens_nothing(journal: Journal) -> None:
    people = await opened(journal)
    await joined(people, "Owner")
    ana, code = await people.invite("Ana", Role.CALLER, Caps(), PAGE)
    await people.change(ana.id, PAGE, disabled=True)
    again = await people.invite_again(ana.id, PAGE)
    for each in (code, again):
        assert people.of_code(each) is None
        with pytest.raises(Unauthorized):
            await people.join(each, HASH)


@pytest.mark.parametrize("name", ["", " ", "a" * 61, "page", "LOCAL", "file", "a\nb\0", "---", "\u202eana"])
async def test_names_that_nobody_can_have(journal: Journal, name: str) -> None:
    people = await opened(journal)
    assert await refused(people.invite(name, Role.VIEWER, Caps(), PAGE)) == "invalid_person_name"


async def test_two_cannot_be_mixed_up(journal: Journal) -> None:
    people = await opened(journal, names_taken=lambda: ["crm"])
    await joined(people, "Straße")
    for name in ("STRASSE", "Straße ", "CRM"):
        assert await refused(people.invite(name, Role.VIEWER, Caps(), PAGE)) == "person_name_taken"


@pytest.mark.parametrize("caps", [Caps(per_hour=-1), Caps(per_day=1_000_000), Caps(regions=frozenset()), Caps(regions=frozenset({"usa"}))])
async def test_caps_that_cannot_be(journal: Journal, caps: Caps) -> None:
    people = await opened(journal)
    assert await refused(people.invite("Ana", Role.CALLER, caps, PAGE)) == "invalid_caps"


async def test_there_can_be_so_many(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PEOPLE", 1)
    people = await opened(journal)
    await joined(people, "Ana")
    for more in (people.invite("Ben", Role.VIEWER, Caps(), PAGE), people.signed_in("issuer ben", "Ben", Role.VIEWER)):
        assert await refused(more) == "too_many_people"


async def test_who_comes_from_an_identity_provider_is_known_by_the_subject(journal: Journal) -> None:
    people = await opened(journal)
    await joined(people, "Ana")
    ana = await people.signed_in("https://id.example 7", "Ana", Role.CALLER)
    assert (ana.name, ana.role, ana.joined) == ("Ana 2", Role.CALLER, True)
    assert await people.signed_in("https://id.example 7", "Anna", Role.CALLER) == ana
    demoted = await people.signed_in("https://id.example 7", "Ana", Role.VIEWER)
    assert (demoted.id, demoted.role) == (ana.id, Role.VIEWER)
    assert people.of_login(ana.login) is None
    await people.change(ana.id, PAGE, disabled=True)
    with pytest.raises(Forbidden) as caught:
        await people.signed_in("https://id.example 7", "Ana", Role.OWNER)
    assert caught.value.code == "person_disabled"


@pytest.mark.parametrize(
    ("given", "name"),
    [("a" * 61, "a" * 60), ("Page", "Page 2"), ("\u202eAna\u200f  Flores", "Ana Flores"), ("Ben " * 30, f"{'Ben ' * 15}".strip())],
)
async def test_a_provider_may_give_any_name(journal: Journal, given: str, name: str) -> None:
    people = await opened(journal)
    assert (await people.signed_in("https://id.example 7", given, Role.VIEWER)).name == name
    other = await people.signed_in("https://id.example 8", given, Role.VIEWER)
    assert other.name != name
    assert len(other.name) <= 60


async def test_a_line_of_a_newer_version_lets_nobody_in_and_is_kept(journal: Journal) -> None:
    people = await opened(journal)
    ana = await joined(people, "Ana")
    newer = json.dumps({"id": "b", "name": "Ben", "role": "auditor"})
    await journal.change_state(STATE, lambda value: f"{value}{newer}\nnonsense\n")
    again = await opened(journal)
    assert again.all() == [ana]
    await again.invite("Zoe", Role.VIEWER, Caps(), PAGE)
    text, _ = await journal.state(STATE)
    assert {newer, "nonsense"} < set(text.splitlines())
    assert loaded(dumped([ana])) == {ana.id: ana}


async def test_other_processes_follow(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None) as one, desk_in(tmp_path, None) as other, asyncio.timeout(HANG_S):
        changed = asyncio.Event()
        other.people.changed.subscribe(lambda _: changed.set())
        ana = await joined(one.people, "Ana")
        while other.people.of_login(ana.login) is None:
            changed.clear()
            await changed.wait()


async def test_a_token_and_a_person_never_share_a_name(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None) as desk:
        await desk.tokens.make("crm", ["read"], 30, PAGE)
        assert await refused(desk.people.invite("CRM", Role.VIEWER, Caps(), PAGE)) == "person_name_taken"
        await joined(desk.people, "ana")
        with pytest.raises(RequestError) as caught:
            await desk.tokens.make("Ana", ["read"], 30, PAGE)
        assert caught.value.code == "token_name_taken"
