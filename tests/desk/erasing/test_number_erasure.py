"""Erasing a number: its contact goes, and the data of its ended calls; calls with others, and calls that run, stay."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.erasing.number_erasure import NumberErased, erase_number
from services.domain.client import PAGE
from services.domain.contact import Contact
from services.domain.errors import NumberError, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.desk.erasing.test_erasures import ended
from tests.desks import desk_in
from tests.stand_in import StandIn


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CallDesk]:
    monkeypatch.setattr("services.desk.erasing.number_erasure._PAGE", 1)
    monkeypatch.setattr("services.desk.calls.watcher.CALM", 0.2)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as desk:
        yield desk
    await gateway.aclose()


@pytest.mark.slow
async def test_the_contact_and_the_data_of_its_calls_go(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    again = await ended(vapi, desk)
    assert call.to
    assert call.to == again.to
    await desk.contacts.add_all([Contact(number=call.to, name="Ana"), Contact(number="+442079460958", name="Zoë")], PAGE)
    assert await erase_number(desk, call.to, PAGE) == NumberErased(erased=2, failed=0)
    assert [contact.name for contact in desk.contacts.all()] == ["Zoë"]
    for one in (call, again):
        left = await desk.find(one.id)
        assert left
        assert left.erasure
    assert await desk.page_of_calls(search=call.to) == []
    assert await erase_number(desk, call.to, PAGE) == NumberErased(erased=0, failed=0)


@pytest.mark.slow
async def test_a_call_with_another_number_stays(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    assert call.to
    assert await erase_number(desk, "+14155552672", PAGE) == NumberErased(erased=0, failed=0)
    left = await desk.find(call.id)
    assert left
    assert left.erasure is None


@pytest.mark.slow
async def test_what_could_not_be_deleted_is_counted(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await ended(vapi, desk)
    assert call.to

    async def refuse(*_: object) -> None:
        raise VapiUnavailable("not now")

    monkeypatch.setattr(desk, "erase", refuse)
    assert await erase_number(desk, call.to, PAGE) == NumberErased(erased=0, failed=1)


@pytest.mark.slow
async def test_the_contact_stays_until_its_calls_data_is_deleted(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await ended(vapi, desk)
    assert call.to
    await desk.contacts.add_all([Contact(number=call.to, name="Ana")], PAGE)

    async def stop(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as interrupted:
        interrupted.setattr(desk, "erase", stop)
        with pytest.raises(asyncio.CancelledError):
            await erase_number(desk, call.to, PAGE)
    assert desk.contacts.name_of(call.to) == "Ana"
    assert await erase_number(desk, call.to, PAGE) == NumberErased(erased=1, failed=0)
    assert desk.contacts.all() == []


@pytest.mark.slow
async def test_a_number_that_no_country_has_goes_too(vapi: StandIn, desk: CallDesk) -> None:
    await desk.contacts.add_all([Contact(number="+999123456789", name="Ana")], PAGE)
    assert await erase_number(desk, "+999123456789", PAGE) == NumberErased(erased=0, failed=0)
    assert desk.contacts.all() == []


@pytest.mark.parametrize("text", ["", "x", "+12", "…2671"])
async def test_nothing_goes_for_what_is_no_number(vapi: StandIn, desk: CallDesk, text: str) -> None:
    call = await ended(vapi, desk)
    await desk.contacts.add_all([Contact(number=text, name="Ana")], PAGE)
    with pytest.raises(NumberError):
        await erase_number(desk, text, PAGE)
    assert len(desk.contacts.all()) == 1
    left = await desk.find(call.id)
    assert left
    assert not left.erasure
