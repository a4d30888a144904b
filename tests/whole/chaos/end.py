"""What must be so once everything is whole again. Each check returns a sentence for every promise that was broken."""

import json
from collections.abc import Sequence

from tests.journal.conftest import execute
from tests.whole.chaos.clients import Clients, Heard, number_of
from tests.whole.chaos.supervised import Supervised
from tests.whole.chaos.vapi import RestlessVapi, created, refused

_LONGEST_MS = 13 * 3600 * 1000


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
    """A dial that never became a call holds its slot until an owner frees it, or until its call would be over. Once that is so, all slots
    can be taken, and no more.
    """
    house = _House(clients, apps, slots)
    vapi.answer = "drop"
    for _ in range(2):  # chance may have left none
        await house.dial()
    vapi.answer = "created"
    lost = await abandoned(vapi, url)
    wrong = [] if len(lost) >= 2 else [f"only {len(lost)} slots are held by dials that never became calls"]
    wrong += await house.fill(len(lost), "with the abandoned dials")
    for tag in lost[:1]:
        status, body = await clients.ask_at(apps[0], "POST", f"/api/calls/unknown-{tag}/free-slot")
        if status != 200:
            wrong.append(f"the slot of {tag} could not be freed: {status} {body}")
        wrong += await house.fill(len(lost) - 1, "after an owner freed a slot")
    if lost[1:]:
        await _let_time_pass(url, lost[1:])
        wrong += await house.fill(0, "after the longest time of the abandoned dials")
    return wrong


async def _let_time_pass(url: str, tags: Sequence[str]) -> None:
    """As if these dials had been made 13 hours ago, by when Vapi has ended every call."""
    tag_list = ", ".join(f"'{tag}'" for tag in tags)
    earlier = f"slot_from = slot_from - {_LONGEST_MS}, slot_until = slot_until - {_LONGEST_MS}, dialled_at = dialled_at - {_LONGEST_MS}"
    await execute(url, f"UPDATE earshot_dials SET {earlier} WHERE tag IN ({tag_list})")  # noqa: S608 - our own tags


class _House:
    """Fills the slots with calls that do not end."""

    def __init__(self, clients: Clients, apps: Sequence[Supervised], slots: int) -> None:
        self._clients = clients
        self._apps = apps
        self._slots = slots
        self._dials = 0
        self._calls = 0

    async def fill(self, held: int, when: str) -> list[str]:
        """Dials until all slots but the `held` ones are taken, and once more. Returns what was not as it should be."""
        free = max(self._slots - held - self._calls, 0)
        answers = [await self.dial() for _ in range(free + 1)]
        self._calls += [status for status, _ in answers].count(201)
        if [status for status, _ in answers] == [201] * free + [429]:
            return []
        return [f"{when}, {free} slots were free, but: {[(status, body.get('code')) for status, body in answers]}"]

    async def dial(self) -> tuple[int, dict[str, object]]:
        self._dials += 1
        app = self._apps[self._dials % len(self._apps)]
        return await self._clients.ask_at(app, "POST", "/api/vapi_call", json={"to": f"+1415{3_000_000 + self._dials:07d}"})
