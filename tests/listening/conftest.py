from collections.abc import AsyncIterator

import pytest

from tests.listening.stand_in import Line, StandIn


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with StandIn() as running:
        yield running


@pytest.fixture
async def line(stand_in: StandIn) -> AsyncIterator[Line]:
    line = Line(stand_in)
    yield line
    await line.relay.aclose()
