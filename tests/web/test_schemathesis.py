"""Schemathesis against the API's own description: every check, stateful too, and by a client of each scope."""

import asyncio
import sys
from pathlib import Path

import pytest

from services.domain.client import Scope
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of
from tests.web.test_tokens import entry

CONFIG = str(Path(__file__).parent / "schemathesis.toml")
NOBODY = "nobody"


async def check(client: Client, folder: Path, *options: str) -> None:
    """Fails with what schemathesis says. The description is in a file, because without a token it can't be read."""
    description = folder / "openapi.json"
    async with client.session.get(client.url + "/openapi.json", headers={"Authorization": "Bearer *"}) as answer:
        assert answer.status == 200
        description.write_bytes(await answer.read())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", "--config-file", CONFIG, "run", str(description), "--url", client.url),
        *("--checks", "all", "--seed", "1", "--generation-database", "none", "--no-color", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.process
async def test_the_api_is_what_it_says_it_is(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as client:
        await check(client, tmp_path, "--max-examples", "30")


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("scope", [*Scope, "*", NOBODY])
async def test_it_is_so_for_every_scope(vapi: StandIn, tmp_path: Path, scope: str) -> None:
    tokens = ",".join(entry("someone" if each == "*" else each, each, each) for each in [*Scope, "*"])
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_secret="s3cret", api_tokens=tokens) as client:
        # Its coverage phase asks the same of every scope, and took three quarters of the time.
        await check(
            client, tmp_path, "-H", f"Authorization: Bearer {scope}", "--max-examples", "4", "--phases", "examples,fuzzing,stateful"
        )
