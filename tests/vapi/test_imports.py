"""Importing the SDK's models blocks the event loop for seconds and takes 150 MB. Placing a call must not import them."""

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys
from services.domain.call import CallOrder
from services.vapi.gateway import Gateway
from tests.vapi import samples
from tests.vapi.stand_in import StandIn, reply

async def main():
    async with StandIn() as vapi:
        vapi.on("POST", "/call", reply(201, samples.QUEUED))
        vapi.on("GET", "/call", reply(200, [samples.ENDED]))
        gateway = Gateway(api_key="key", base_url=vapi.url)
        print((await gateway.create_call(CallOrder(to="+15550100002", assistant_id="a", phone_number_id="p", tag="t"))).id)
        await gateway.list_calls()
        await gateway.aclose()

asyncio.run(main())
print(*(name for name in sys.modules if name == "vapi" or name.startswith("vapi.")))
"""


@pytest.mark.process
def test_placing_a_call_imports_no_model() -> None:
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    call_id, modules = run.stdout.splitlines()
    assert call_id == "019f3a10-0000-7000-8000-00000000abcd"
    assert "vapi.core.client_wrapper" in modules.split()
    assert not [name for name in modules.split() if name not in ("vapi", "vapi.core") and not name.startswith("vapi.core.")]
