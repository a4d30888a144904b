"""How all tests run, and what most of them share: Vapi's stand-in, a gateway to it, and a desk that calls through it.

A folder that needs another stand-in overrides it by name. The app is imported where it is used: the process that hands out tests to workers
reads this file too, and does not need the app.
"""

import gc
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import cheap_hashes, kinds, paces

if TYPE_CHECKING:
    from services.desk.desk import CallDesk
    from services.vapi.gateway import Gateway
    from tests.stand_in import StandIn


gc.disable()  # as main.py does, until everything is imported: what is collected then is next to nothing, and takes a fifth of the time


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(kinds.Guard())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    kinds.arrange(items)


def pytest_collection_finish() -> None:
    gc.freeze()  # each full collection would look through all modules and tests again
    gc.set_threshold(7_000, 10, 5)  # full collections as seldom as with 700, 10 and 50, the others more seldom
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def shared() -> None:
    if "fastapi" in sys.modules:  # else no test of this run serves the API
        from tests import late_routes

        late_routes.delay()
    if "services.journal.database.sqlite" in sys.modules:
        from tests import shared_statements

        shared_statements.share()


@pytest.fixture(scope="session", autouse=True)
def pace() -> None:
    paces.quicken()
    cheap_hashes.share()


@pytest.fixture
async def vapi() -> "AsyncIterator[StandIn]":
    from tests.stand_in import stand_in

    async with stand_in() as server:
        yield server


@pytest.fixture
def vapi_within_s() -> float:
    """How long a test's gateway waits for Vapi's answer. Tests in which none comes are parametrized with less."""
    return 10.0


@pytest.fixture
async def gateway(vapi: "StandIn") -> "AsyncIterator[Gateway]":
    from services.vapi.gateway import Gateway

    gateway = Gateway(api_key="private", base_url=vapi.url)
    yield gateway
    await gateway.aclose()


@pytest.fixture
async def desk(gateway: "Gateway", tmp_path: Path) -> "AsyncIterator[CallDesk]":
    from tests.desks import desk_in

    async with desk_in(tmp_path, gateway) as made:
        yield made
