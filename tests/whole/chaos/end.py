"""What must be so once everything is whole again. Each check returns a sentence for every promise that was broken."""

import json
from collections.abc import Sequence

from tests.journal.conftest import execute
from tests.whole.chaos.clients import Clients, Heard, number_of
from tests.whole.chaos.supervised import Supervised
from tests.whole.chaos.vapi import RestlessVapi, created, refused


def check_dials(vapi: RestlessVapi, heard: Heard) -> list[str]:
    """No number was dialled again unless Vapi had said that nothing was placed, and each key has one call."""
    wrong = []
    calls = created(vapi)
    for number, ways in vapi.posts.items():
        if not all(map(refused, ways[:-1])) or len(calls.get(number, [])) > 1:
            wrong.append(f"{number} was dialled twice: {ways}, {len(calls.get(number, []))} calls")
    for key, ids in heard.placed.items():
        if ids != {call["id"] for call in calls.get(number_of(key), [])}:
            wrong.append(f"{key} was answered with {ids}")
    return wrong


async def check_calls(vapi: RestlessVapi, url: str) -> list[str]:
    """Every call of Vapi is in the journal, with its end and its cost, and its dial is settled and holds no slot."""
    rows = await execute(url, "SELECT id, data FROM earshot_calls")
    known = {row[0]: json.loads(row[1]) for row in rows}
    dials = await execute(url, "SELECT call_id, state, slot_until FROM earshot_dials")
    placed = {row[0] for row in dials if row[1] == "placed" and row[2] is None}
    wrong = []
    for id_, call in vapi.calls.items():
        ours = known.get(id_)
        if ours is None:
            wrong.append(f"call {id_} is not in the journal")
        elif (ours["status"], ours.get("cost")) != ("ended", call.get("cost")):
            wrong.append(
                f"call {id_} is {ours['status']} for {ours.get('cost')} in the journal, but {call['status']} for {call.get('cost')}"
            )
        elif id_ not in placed:
            wrong.append(f"the dial of call {id_} is open or holds a slot")
    return wrong


async def abandoned(vapi: RestlessVapi, url: str) -> list[str]:
    """The tags of the dials that hold a slot though Vapi never made their call."""
    rows = await execute(url, "SELECT tag, to_number FROM earshot_dials WHERE slot_until IS NOT NULL")
    numbers = created(vapi)
    return [row[0] for row in rows if row[1] not in numbers]


async def check_answers(clients: Clients, apps: Sequence[Supervised]) -> list[str]:
    """Every id that was answered leads to the call of its key, at every app."""
    wrong = []
    for key in clients.heard.placed.keys() | clients.heard.unknown.keys():
        for id_ in clients.heard.placed[key] | clients.heard.unknown[key]:
            for app in apps:
                status, body = await clients.ask_at(app, "GET", f"/api/calls/{id_}")
                if (status, body.get("to")) != (200, number_of(key)):
                    wrong.append(f"{key} was answered with {id_}, which is answered with {status} {body}")
    return wrong


async def check_slots(vapi: RestlessVapi, url: str, clients: Clients, apps: Sequence[Supervised], slots: int) -> list[str]:
    """Once an owner has freed the slots of dials that never became calls, all slots can be taken, and no more."""
    wrong = []
    for tag in await abandoned(vapi, url):
        status, body = await clients.ask_at(apps[0], "POST", f"/api/calls/unknown-{tag}/free-slot")
        if status != 200:
            wrong.append(f"the slot of {tag} could not be freed: {status} {body}")
    answers = [await _dial(clients, apps[number % len(apps)], number) for number in range(slots + 1)]
    if [status for status, _ in answers] != [201] * slots + [429]:
        wrong.append(f"a full house was not {slots} calls: {[(status, body.get('code')) for status, body in answers]}")
    return wrong


async def _dial(clients: Clients, app: Supervised, number: int) -> tuple[int, dict[str, object]]:
    return await clients.ask_at(app, "POST", "/api/vapi_call", json={"to": f"+1415{3_000_000 + number:07d}"})
