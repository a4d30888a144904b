"""Vapi's own SDKs, which know nothing of Earshot, work with the demo line as they do with Vapi. Each runs in a process of its own: the
Python SDK's typed models take hundreds of megabytes, which no other test should have.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.demo_line import DemoLine
from tests.node import node_path

ROOT = Path(__file__).parents[2]
NODE_SDK = "@vapi-ai/server-sdk"
PLACES = [ROOT / "node_modules", *(Path(place) for place in os.environ.get("NODE_PATH", "").split(os.pathsep) if place)]
"""Where Node's SDK may be. With its 47 MB it is not installed with the project; `npm install --no-save @vapi-ai/server-sdk@2.0.1` does."""
LONG_S = 300

PYTHON = """
import json, sys
from tests.vapi.sdk import unbuilt
with unbuilt():
    from vapi import Vapi
    from vapi.types import CreateCustomerDto

    wanted = json.loads(sys.argv[1])
    vapi = Vapi(token=wanted["key"], base_url=wanted["url"])
    vapi.calls, vapi.assistants, vapi.phone_numbers, vapi.squads  # each is imported here
call = vapi.calls.create(
    assistant_id=wanted["assistant"], phone_number_id=wanted["number"], customer=CreateCustomerDto(number="+14155552671"), name="One"
)
batch = vapi.calls.create(
    squad_id=wanted["squad"], phone_number_id=wanted["number"],
    customers=[CreateCustomerDto(number="+14155552672"), CreateCustomerDto(number="1")],
)


def account():
    assistant = vapi.assistants.create(name="Kim", first_message="Hello, Kim here.", voice={"provider": "vapi", "voiceId": "Elliot"})
    number = vapi.phone_numbers.create(request={"provider": "vapi", "name": "Side door", "sipUri": "sip:side@sip.vapi.ai"})
    squad = vapi.squads.create(name="Back office", members=[{"assistantId": assistant.id}])
    called = vapi.calls.create(squad_id=squad.id, phone_number_id=number.id, customer=CreateCustomerDto(number="+14155552673"))
    found = {
        "made": [assistant.name, number.name, squad.members[0].assistant_id == assistant.id, called.status],
        "changed": [
            vapi.assistants.update(id=assistant.id, name="Kim B.").name,
            vapi.phone_numbers.update(id=number.id, request={"provider": "vapi", "name": "Back door"}).name,
            vapi.squads.update(id=squad.id, name="Office", members=[{"assistantId": assistant.id}]).name,
        ],
        "there": [vapi.assistants.list()[0].name, vapi.phone_numbers.list()[0].name, vapi.squads.list()[0].name],
    }
    gone = [vapi.squads.delete(id=squad.id), vapi.phone_numbers.delete(id=number.id), vapi.assistants.delete(id=assistant.id)]
    lists = [vapi.assistants.list(), vapi.phone_numbers.list(), vapi.squads.list()]
    return found | {"gone": [one.name for one in gone], "remaining": [len(one) for one in lists]}


print(json.dumps({
    "created": [call.name, call.status, bool(call.monitor.listen_url)],
    "batch": [len(batch.results), len(batch.errors)],
    "got": vapi.calls.get(id=call.id).id == call.id,
    "listed": len(vapi.calls.list()),
    "updated": vapi.calls.update(id=call.id, name="Two").name,
    "deleted": vapi.calls.delete(id=call.id).id == call.id,
    "left": len(vapi.calls.list()),
    "assistants": [one.name for one in vapi.assistants.list()],
    "assistant": vapi.assistants.get(id=wanted["assistant"]).name,
    "numbers": [one.name for one in vapi.phone_numbers.list()],
    "number": vapi.phone_numbers.get(id=wanted["number"]).number,
    "squads": [one.name for one in vapi.squads.list()],
    "squad": vapi.squads.get(id=wanted["squad"]).name,
    **account(),
}))
"""

NODE = """
const { VapiClient } = require("@vapi-ai/server-sdk");
const wanted = JSON.parse(process.argv[1]);
const vapi = new VapiClient({ token: wanted.key, environment: wanted.url, baseUrl: wanted.url });
const account = async () => {
  const voice = { provider: "vapi", voiceId: "Elliot" };
  const assistant = await vapi.assistants.create({ name: "Kim", firstMessage: "Hello, Kim here.", voice });
  const number = await vapi.phoneNumbers.create({ provider: "vapi", name: "Side door", sipUri: "sip:side@sip.vapi.ai" });
  const squad = await vapi.squads.create({ name: "Back office", members: [{ assistantId: assistant.id }] });
  const called = await vapi.calls.create({ squadId: squad.id, phoneNumberId: number.id, customer: { number: "+14155552673" } });
  const found = {
    made: [assistant.name, number.name, squad.members[0].assistantId === assistant.id, called.status],
    changed: [
      (await vapi.assistants.update({ id: assistant.id, name: "Kim B." })).name,
      (await vapi.phoneNumbers.update({ id: number.id, body: { provider: "vapi", name: "Back door" } })).name,
      (await vapi.squads.update({ id: squad.id, name: "Office", members: [{ assistantId: assistant.id }] })).name,
    ],
    there: [(await vapi.assistants.list())[0].name, (await vapi.phoneNumbers.list())[0].name, (await vapi.squads.list())[0].name],
  };
  const gone = [
    await vapi.squads.delete({ id: squad.id }),
    await vapi.phoneNumbers.delete({ id: number.id }),
    await vapi.assistants.delete({ id: assistant.id }),
  ];
  const lists = [await vapi.assistants.list(), await vapi.phoneNumbers.list(), await vapi.squads.list()];
  return { ...found, gone: gone.map((one) => one.name), remaining: lists.map((one) => one.length) };
};
(async () => {
  const order = { phoneNumberId: wanted.number };
  const call = await vapi.calls.create({ ...order, assistantId: wanted.assistant, customer: { number: "+14155552671" }, name: "One" });
  const batch = await vapi.calls.create({ ...order, squadId: wanted.squad, customers: [{ number: "+14155552672" }, { number: "1" }] });
  const names = (list) => list.map((one) => one.name);
  console.log(JSON.stringify({
    created: [call.name, call.status, Boolean(call.monitor.listenUrl)],
    batch: [batch.results.length, batch.errors.length],
    got: (await vapi.calls.get({ id: call.id })).id === call.id,
    listed: (await vapi.calls.list()).length,
    updated: (await vapi.calls.update({ id: call.id, name: "Two" })).name,
    deleted: (await vapi.calls.delete({ id: call.id })).id === call.id,
    left: (await vapi.calls.list()).length,
    assistants: names(await vapi.assistants.list()),
    assistant: (await vapi.assistants.get({ id: wanted.assistant })).name,
    numbers: names(await vapi.phoneNumbers.list()),
    number: (await vapi.phoneNumbers.get({ id: wanted.number })).number,
    squads: names(await vapi.squads.list()),
    squad: (await vapi.squads.get({ id: wanted.squad })).name,
    ...(await account()),
  }));
})();
"""

EXPECTED = {
    "created": ["One", "queued", True],
    "batch": [1, 1],
    "got": True,
    "listed": 2,
    "updated": "Two",
    "deleted": True,
    "left": 1,
    "assistants": ["Riley", "Sam, feedback"],
    "assistant": "Riley",
    "numbers": ["Main line", "Front desk"],
    "number": "+12025550190",
    "squads": ["Front office"],
    "squad": "Front office",
    "made": ["Kim", "Side door", True, "queued"],
    "changed": ["Kim B.", "Back door", "Office"],
    "there": ["Kim B.", "Back door", "Office"],
    "gone": ["Office", "Back door", "Kim B."],
    "remaining": [2, 2, 1],
}


async def found_by(*program: str, **environ: str) -> dict[str, Any]:
    """What an SDK's program found at a demo line of its own."""
    async with DemoLine(ring_seconds=0.05) as line:
        wanted = {
            "key": line.api_key,
            "url": line.base_url,
            "assistant": line.assistant_id,
            "number": line.phone_number_id,
            "squad": line.squad_id,
        }
        done = await asyncio.to_thread(
            subprocess.run,
            [*program, json.dumps(wanted)],
            cwd=ROOT,
            env=os.environ | environ,
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.process
@pytest.mark.slow
async def test_vapi_s_sdk_for_python() -> None:
    assert await found_by(sys.executable, "-c", PYTHON) == EXPECTED


@pytest.mark.process
async def test_vapi_s_sdk_for_node() -> None:
    place = next((place for place in PLACES if (place / NODE_SDK).is_dir()), None)
    if place is None:
        pytest.skip(f"{NODE_SDK} is not installed")
    assert await found_by(node_path(), "-e", NODE, NODE_PATH=str(place)) == EXPECTED
