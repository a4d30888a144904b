"""Somebody who gets the name of a person who was removed gets neither their calls nor what they have used of a cap."""

from pathlib import Path

import pytest

from services.domain.caps import Caps
from services.domain.client import PAGE, Scope
from services.domain.errors import Forbidden, LimitReached
from services.domain.person import Role
from tests.desks import desk_at
from tests.journal.conftest import execute
from tests.stand_in import StandIn

CAPS = Caps(per_hour=1)


@pytest.mark.slow
async def test_the_calls_and_the_caps_are_those_of_the_person_not_of_the_name(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path / "data", journal_at=url) as desk:
        before, _ = await desk.people.invite("Ana", Role.CALLER, CAPS, PAGE)
        call = (await desk.place(desk.order("+14155552671"), before.client)).call
        with pytest.raises(LimitReached):
            await desk.place(desk.order("+442079460958"), before.client)
        await desk.rights.check(call, before.client, Scope.CONTROL)
        await desk.people.remove(before.id, PAGE)
        after, _ = await desk.people.invite("Ana", Role.CALLER, CAPS, PAGE)
        with pytest.raises(Forbidden, match="calls that you placed"):
            await desk.rights.check(call, after.client, Scope.CONTROL)
        assert not await desk.rights.may_control(call, after.client)
        own = (await desk.place(desk.order("+442079460958"), after.client)).call
        await desk.rights.check(own, after.client, Scope.CONTROL)


async def test_who_was_removed_after_a_yes_has_no_dials_left(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path / "data", journal_at=url) as desk:
        ana, _ = await desk.people.invite("Ana", Role.CALLER, CAPS, PAGE)
        assert desk.people.client_of(ana.id).caps == CAPS
        await desk.people.remove(ana.id, PAGE)
        assert desk.people.client_of(ana.id).caps == Caps(per_hour=0, per_day=0)
        assert desk.people.client_of(PAGE.person) == PAGE


async def test_a_call_that_an_earlier_version_placed_is_still_its_callers(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path / "data", journal_at=url) as desk:
        ana, _ = await desk.people.invite("Ana", Role.CALLER, CAPS, PAGE)
        cem, _ = await desk.people.invite("Cem", Role.CALLER, CAPS, PAGE)
        call = (await desk.place(desk.order("+14155552671"), ana.client)).call
        await execute(url, "UPDATE earshot_dials SET person = NULL")
        await desk.rights.check(call, ana.client, Scope.CONTROL)
        assert not await desk.rights.may_control(call, cem.client)
