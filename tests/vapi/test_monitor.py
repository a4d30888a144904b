"""Control and listen URLs: which are opened, what is sent, and how responses are read."""

import asyncio

import pytest

from services.domain.call import CallOrder
from services.domain.control import Action, Control
from services.domain.errors import CallNotFound, VapiRefused, VapiUnavailable
from services.vapi.addresses import may_open
from services.vapi.gateway import Gateway
from services.vapi.monitor import MonitorBook
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.stand_in import Reply, StandIn, drop, hang, not_http, reply, reset, trickle

VAPI = "https://api.vapi.ai"
EU = "https://api.eu.vapi.ai"
DEMO = "http://127.0.0.1:9000"


def monitored(vapi: StandIn) -> dict[str, object]:
    """A call whose control URL is on the fake Vapi itself."""
    control, listen = f"{vapi.url}/call-1/control", f"{vapi.url.replace('http', 'ws')}/call-1/listen"
    return {"id": "call-1", "monitor": {"controlUrl": control, "listenUrl": listen}}


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (f"wss://{samples.HOST}/x/listen", VAPI),
        (f"wss://{samples.HOST.upper()}:443/x/listen?a=b", VAPI),
        (f"wss://{samples.HOST}/x/listen", DEMO),
        ("wss://api.vapi.ai/x", VAPI),
        ("wss://api.eu.vapi.ai/x", EU),
        ("wss://phone-call-websocket.eu.vapi.ai/x", EU),
        (f"wss://{samples.HOST}/x", EU),
        ("wss://not-eu.vapi.ai/x", VAPI),
        ("ws://127.0.0.1:9000/x", DEMO),
        ("wss://127.0.0.1:9000/x", DEMO),
        ("wss://vapi.example/x", "https://vapi.example:443"),
        ("wss://vapi.example:9001/x", "https://vapi.example:9001"),
    ],
)
def test_urls_that_may_be_opened(url: str, base: str) -> None:
    assert may_open(url, scheme="wss", base_url=base)
    assert may_open(url.replace("ws", "http", 1), scheme="https", base_url=base)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (f"ws://{samples.HOST}/x", VAPI),
        (f"ws://{samples.HOST}/x", DEMO),
        (f"wss://{samples.HOST}:8443/x", VAPI),
        (f"wss://{samples.HOST}:x/", VAPI),
        (f"wss://user@{samples.HOST}/x", VAPI),
        (f"wss://{samples.HOST}@evil.example/x", VAPI),
        (f"wss://{samples.HOST}./x", VAPI),
        ("wss://vapi.ai/x", VAPI),
        ("wss://api.eu.vapi.ai/x", VAPI),
        ("wss://eu.vapi.ai/x", VAPI),
        ("wss://invented.eu.vapi.ai/x", VAPI),
        ("wss://invented.eu.vapi.ai/x", DEMO),
        ("wss://invented.eu.vapi.ai/x", "https://api.eu.vapi.ai.example"),
        ("wss://api.eu.vapi.ai:8443/x", EU),
        ("wss://evilvapi.ai/x", VAPI),
        ("wss://evil.example/.vapi.ai", VAPI),
        ("wss://evil.example\\.vapi.ai/x", VAPI),
        ("wss://evil.example%2f.vapi.ai/x", VAPI),
        ("wss://evil.example#.vapi.ai/x", VAPI),
        ("wss://evil.example;.vapi.ai/x", VAPI),
        ("wss://ev\u0131l.vapi.ai/x", VAPI),
        ("wss://a.vapi.ai/x\r\nHost: evil.example", VAPI),
        (" wss://a.vapi.ai/x", VAPI),
        ("ws://api.vapi.ai/x", VAPI),
        ("wss://127.0.0.1/x", VAPI),
        ("ws://127.0.0.1@evil.example/x", DEMO),
        ("ws://127.0.0.2:9000/x", DEMO),
        ("ws://127.0.0.1:9001/x", DEMO),
        ("ws://127.0.0.1:22/x", DEMO),
        ("wss://api.vapi.ai:8443/x", VAPI),
        ("wss://vapi.example:9001/x", "https://vapi.example"),
        ("ws://127.0.0.1/x", DEMO),
        ("wss://vapi.proxy.example:8443/x", "https://vapi.proxy.example"),
        ("ws://localhost:9000/x", DEMO),
        ("ws://vapi.example/x", "https://vapi.example"),
        ("file:///etc/passwd", DEMO),
        ("wss:a.vapi.ai/x", VAPI),
        ("wss://[::1/x", VAPI),
        (f"wss://{'a' * 64}.vapi.ai/x", VAPI),
        (f"wss://{'a.' * 125}vapi.ai/x", VAPI),
        ("wss://a..vapi.ai/x", VAPI),
        ("wss://", VAPI),
        ("", VAPI),
    ],
)
def test_urls_that_may_not_be_opened(url: str, base: str) -> None:
    assert not may_open(url, scheme="wss", base_url=base)
    assert not may_open(url.replace("ws", "http", 1), scheme="https", base_url=base)


def test_each_scheme_has_its_purpose() -> None:
    assert not may_open(f"https://{samples.HOST}/x", scheme="wss", base_url=VAPI)
    assert not may_open(f"wss://{samples.HOST}/x", scheme="https", base_url=VAPI)


async def test_a_control_message_carries_the_public_key_only(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, monitored(vapi)))
    vapi.on("POST", "/call-1/control", reply(200, b"OK"))
    await gateway.create_call(order)
    await gateway.control("call-1", Control(action=Action.SAY, content="Zoë"))
    await gateway.end_call("call-1")
    await gateway.end_call("call-1")
    said, ended, again = vapi.asked("POST", "/call-1/control")
    assert said.json == {"type": "say", "content": "Zoë", "endCallAfterSpoken": False}
    assert ended.json == again.json == {"type": "end-call"}
    assert said.headers["authorization"] == f"Bearer {samples.PUBLIC_KEY}"
    assert samples.API_KEY not in str(said.headers)
    assert vapi.asked("GET") == []


async def test_without_a_public_key_no_key_is_sent(vapi: StandIn, make_gateway: MakeGateway) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    vapi.on("POST", "/call-1/control", reply(204, b""))
    gateway = make_gateway()
    await gateway.end_call("call-1")
    assert "authorization" not in vapi.asked("POST")[0].headers
    assert (await gateway.listen_target("call-1")).headers == {}


async def test_a_listen_target(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    target = await gateway.listen_target("call-1")
    assert target.url == f"ws://127.0.0.1:{vapi.port}/call-1/listen"
    assert target.headers == {"Authorization": f"Bearer {samples.PUBLIC_KEY}"}
    await gateway.listen_target("call-1")
    assert len(vapi.requests) == 1, "the URL is kept"


async def test_a_list_provides_monitor_urls_too(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call", reply(200, [monitored(vapi)]))
    await gateway.list_calls()
    assert (await gateway.listen_target("call-1")).url.endswith("/call-1/listen")
    assert len(vapi.requests) == 1


@pytest.mark.parametrize("monitor", [None, {}, [], {"listenUrl": None, "controlUrl": 7}, {"listenUrl": ""}])
async def test_no_monitor(vapi: StandIn, gateway: Gateway, monitor: object) -> None:
    vapi.on("GET", "/call/call-1", reply(200, {"id": "call-1", "monitor": monitor}))
    for attempt in (gateway.listen_target("call-1"), gateway.end_call("call-1")):
        with pytest.raises(VapiUnavailable) as caught:
            await attempt
        assert caught.value.code == "no_monitor"
        assert caught.value.retryable
    assert len(vapi.requests) == 2, "Vapi is asked once each time"


async def test_no_such_call(gateway: Gateway) -> None:
    with pytest.raises(CallNotFound):
        await gateway.end_call("call-1")


async def test_a_foreign_monitor_is_refused_and_not_logged(vapi: StandIn, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    async with StandIn() as other:
        url = f"http://localhost:{other.port}/secret-path"
        vapi.on("GET", "/call/call-1", reply(200, {"id": "call-1", "monitor": {"listenUrl": url.replace("http", "ws"), "controlUrl": url}}))
        for attempt in (gateway.listen_target("call-1"), gateway.end_call("call-1")):
            with pytest.raises(VapiUnavailable) as caught:
                await attempt
            assert caught.value.code == "monitor_refused"
            assert not caught.value.retryable
        assert other.connections == 0
    assert "refused to open" in caplog.text
    assert "secret-path" not in caplog.text


async def test_a_control_redirect_is_not_followed(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    vapi.on("POST", "/call-1/control", reply(307, b"", headers={"Location": f"{vapi.url}/call-1/elsewhere"}))
    with pytest.raises(VapiRefused):
        await gateway.end_call("call-1")
    assert len(vapi.asked("POST")) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"message": "Unknown type."}, "Unknown type."),
        (404, {"message": ["Call ended", "gone"]}, "Call ended; gone"),
        (401, {"message": "Invalid Key."}, "Invalid Key.*VAPI_PUBLIC_KEY"),
        (403, b"", "VAPI_PUBLIC_KEY"),
        (409, b"<html>", "409"),
    ],
)
async def test_a_refused_control(vapi: StandIn, gateway: Gateway, status: int, body: object, words: str) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    vapi.on("POST", "/call-1/control", reply(status, body))
    with pytest.raises(VapiRefused, match=words):
        await gateway.control("call-1", Control(action=Action.SAY_FIRST_MESSAGE))


@pytest.mark.parametrize("fault", [reply(500, b""), reply(502, b"<html>"), reply(408, b""), drop, reset, not_http, hang, trickle])
async def test_controls_that_do_not_answer(vapi: StandIn, make_gateway: MakeGateway, fault: Reply) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    vapi.on("POST", "/call-1/control", fault)
    with pytest.raises(VapiUnavailable):
        await make_gateway(timeout=0.5).end_call("call-1")
    assert len(vapi.asked("POST")) == 1


def test_the_book_drops_the_oldest_and_has_no_urls_in_its_repr() -> None:
    book = MonitorBook(size=2)
    for call_id in ("a", "b", "a", "c"):
        book.remember(call_id, {"monitor": {"listenUrl": f"wss://{call_id}"}})
    book.remember("a", {"monitor": {"controlUrl": "https://a"}})
    assert (book.get("a").listen_url, book.get("a").control_url) == ("wss://a", "https://a")
    assert book.get("b").listen_url is None
    assert book.get("c").listen_url == "wss://c"
    assert "//" not in repr(book.get("a"))


async def test_many_at_once(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call/call-1", reply(200, monitored(vapi)))
    vapi.on("POST", "/call-1/control", reply(200, b"OK"))
    await asyncio.gather(*(gateway.end_call("call-1") for _ in range(20)))
    assert len(vapi.asked("POST", "/call-1/control")) == 20
