"""How all tests run, and what most of them share: Vapi's stand-in, a gateway to it, and a desk that calls through it.

A folder that needs another stand-in overrides it by name.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.vapi.gateway import Gateway
from tests import kinds
from tests.desks import desk_in
from tests.stand_in import StandIn, stand_in


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(kinds.Guard())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    kinds.arrange(items)


@pytest.fixture
async def vapi() -> AsyncIterator[StandIn]:
    async with stand_in() as server:
        yield server


@pytest.fixture
async def gateway(vapi: StandIn) -> AsyncIterator[Gateway]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    yield gateway
    await gateway.aclose()


@pytest.fixture
async def desk(gateway: Gateway, tmp_path: Path) -> AsyncIterator[CallDesk]:
    async with desk_in(tmp_path, gateway) as made:
        yield made
