"""The names of assistants, squads and caller IDs: read anew when they are old, and never in the way of a call."""

import pytest

from services.desk.placing import directory as module
from services.desk.placing.directory import Directory
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn

RILEY = {"id": "a1", "name": "Riley", "firstMessage": "Hi {{name}}."}
SAM = {"id": "a2", "name": "Sam", "model": {"messages": [{"role": "system", "content": "Ask {{name}} about {{visit}}."}]}}
SQUAD = {"id": "s1", "name": "Front office", "members": [{"assistantId": "a1"}, {"assistantId": "a2"}, {"assistantId": "gone"}]}


@pytest.fixture
async def directory(vapi: StandIn, gateway: Gateway) -> Directory:
    vapi.account |= {"assistant": [RILEY, SAM], "squad": [SQUAD]}
    made = Directory(gateway)
    await made.load()
    return made


async def test_what_the_texts_of_who_speaks_ask_for(directory: Directory) -> None:
    assert directory.variables(assistant_id="a2") == ("name", "visit")
    assert directory.variables(squad_id="s1") == ("name", "visit")
    assert directory.variables(assistant_id="gone") == directory.variables(squad_id="gone") == ()


async def test_an_assistant_that_was_deleted_is_gone_once_the_lists_are_old(
    vapi: StandIn, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    vapi.account["assistant"] = [SAM]
    await directory.freshen()
    assert directory.assistant_name("a1") == "Riley"
    monkeypatch.setattr(module, "_FRESH_S", 0.0)
    await directory.freshen()
    assert (directory.assistant_name("a1"), directory.assistant_name("a2")) == ("", "Sam")
    assert vapi.requests["GET /assistant"] == 2


async def test_without_squads_the_rest_is_there(vapi: StandIn, gateway: Gateway) -> None:
    vapi.account["assistant"] = [SAM]
    del vapi.account["squad"]
    directory = Directory(gateway)
    await directory.load()
    assert (list(directory.assistants), directory.squads, directory.failed) == (["a2"], {}, False)


async def test_squads_that_can_t_be_read_for_once_stay(vapi: StandIn, directory: Directory) -> None:
    del vapi.account["squad"]
    await directory.load()
    assert list(directory.squads) == ["s1"]
