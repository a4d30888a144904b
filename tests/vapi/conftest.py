"""A scriptable Vapi, a gateway to it, and an order."""

from collections.abc import AsyncIterator, Callable

import pytest

from services.domain.call import CallOrder
from services.vapi.gateway import Gateway
from tests.vapi import samples
from tests.vapi.stand_in import StandIn

MakeGateway = Callable[..., Gateway]


@pytest.fixture
async def vapi() -> AsyncIterator[StandIn]:
    async with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def make_gateway(vapi: StandIn) -> AsyncIterator[MakeGateway]:
    """Gateways with any arguments, closed when the test is over."""
    made: list[Gateway] = []

    def make(**arguments: object) -> Gateway:
        made.append(Gateway(**{"api_key": samples.API_KEY, "base_url": vapi.url, **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for gateway in made:
        await gateway.aclose()


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> Gateway:
    return make_gateway(public_key=samples.PUBLIC_KEY)


@pytest.fixture
def order() -> CallOrder:
    return CallOrder(
        to="+15550100002",
        assistant_id="6d1f0000-0000-4000-8000-000000000001",
        phone_number_id="1c9e0000-0000-4000-8000-000000000002",
        tag=samples.TAG,
    )
