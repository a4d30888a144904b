"""Schemathesis against the API's own description: every check, stateful too."""

import asyncio
import sys
from pathlib import Path

import pytest

from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import client_of

CONFIG = str(Path(__file__).parent / "schemathesis.toml")


@pytest.mark.process
async def test_the_api_is_what_it_says_it_is(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "schemathesis.cli", "--config-file", CONFIG, "run", client.url + "/openapi.json"),
            *("--checks", "all", "--seed", "1", "--max-examples", "30", "--generation-database", "none", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
