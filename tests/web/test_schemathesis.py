"""Schemathesis against the API's own description: every check, stateful too, and by a client of each scope."""

import asyncio
import json
import os
import sys
from itertools import product
from pathlib import Path

import pytest

from services.domain.client import Scope
from services.vapi.gateway import Gateway
from tests.process import ROOT
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of
from tests.web.test_tokens import entry

CONFIG = str(Path(__file__).parent / "schemathesis.toml")
NOBODY = "nobody"
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))
"""That are drawn for each operation, besides those by which its schema is covered. Whoever has time draws more."""


async def check(client: Client, folder: Path, *options: str, **environ: str) -> None:
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
        # In a new folder Hypothesis would make its tables of Unicode again, which took 2.7 to 3.6 s of processor time; it finds them where
        # the other tests keep them. And requests looks through the whole environment for proxies, twice per request, unless it needs none.
        env={"HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"), **os.environ, "no_proxy": "127.0.0.1", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.process
async def test_the_api_is_what_it_says_it_is(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as client:
        await check(client, tmp_path, "--max-examples", str(EXAMPLES))


@pytest.mark.process
@pytest.mark.slow
async def test_it_is_so_for_every_scope(vapi: StandIn, tmp_path: Path) -> None:
    tokens = [*Scope, "*", NOBODY]
    entries = ",".join(entry("someone" if each == "*" else each, each, each) for each in tokens if each != NOBODY)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_secret="s3cret", api_tokens=entries) as client:
        # Its coverage phase asks the same of every scope, and would take three quarters of the time. That many examples let each token meet
        # each operation; the other test draws more.
        await check(
            client,
            tmp_path,
            *("--max-examples", str(len(tokens) + EXAMPLES // 4), "--phases", "examples,fuzzing,stateful"),
            SCHEMATHESIS_HOOKS="tests.web.scopes_in_turn",
            PYTHONPATH=str(ROOT),
            TOKENS=",".join(tokens),
            ASKED=str(tmp_path / "asked"),
        )
    asked = {tuple(line.split("\t")) for line in (tmp_path / "asked").read_text().splitlines()}
    operations = {operation for operation, _ in asked}
    assert operations == described(tmp_path)
    assert asked == set(product(operations, tokens))


def described(folder: Path) -> set[str]:
    """The operations of the description, as schemathesis names them."""
    paths = json.loads((folder / "openapi.json").read_bytes())["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
