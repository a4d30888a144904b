"""Webhooks that Vapi signs with an HMAC credential: what is believed, and how much is read before that is known."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.settings import SettingsError, read_settings
from services.vapi.gateway import Gateway
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of
from tests.web.test_unread_bodies import answer_to

KEY = "signing key"
BODY = json.dumps({"message": {"type": "hang"}}).encode()
ROUTE = "/api/vapi_events"
Headers = dict[str, str]


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_hmac_key=KEY) as made:
        yield made


def digest(signed: bytes, algorithm: str = "sha256", key: str = KEY) -> bytes:
    return hmac.new(key.encode(), signed, algorithm).digest()


def signed(body: bytes = BODY, *, at: float | str | None = None, key: str = KEY) -> Headers:
    """The headers as Vapi's credential makes them unless it says otherwise."""
    timestamp = str(int(time.time()) if at is None else at)
    return {"X-Signature": digest(timestamp.encode() + b"." + body, key=key).hex(), "X-Timestamp": timestamp}


async def post(client: Client, headers: Headers, body: bytes = BODY) -> tuple[int, Any]:
    status, answer, _ = await client.ask("POST", ROUTE, data=body, headers={"Content-Type": "application/json", **headers})
    return status, answer


def in_vapis_names(headers: Headers) -> Headers:
    return {"X-Vapi-Signature": headers["X-Signature"], "X-Vapi-Timestamp": headers["X-Timestamp"]}


def without_time(headers: Headers) -> Headers:
    return {"X-Signature": headers["X-Signature"]}


BELIEVED: list[Callable[[], Headers]] = [
    signed,
    lambda: in_vapis_names(signed()),
    lambda: signed(at=f"{time.time() * 1000:.0f}"),
    lambda: {**signed(), "X-Signature": "sha256=" + signed()["X-Signature"]},
]
REFUSED: list[Callable[[], Headers]] = [
    lambda: signed(b'{"message": {"type": "other"}}'),
    lambda: signed(key="wrong"),
    lambda: without_time(signed()),
    lambda: {**signed(), "X-Timestamp": str(int(time.time()) + 1)},
    lambda: {"X-Signature": digest(BODY).hex(), "X-Timestamp": str(int(time.time()))},
    lambda: {**signed(), "X-Signature": ""},
    lambda: {**signed(), "X-Signature": "nonsense"},
    lambda: {**signed(), "X-Timestamp": "tomorrow"},
    lambda: {**signed(), "X-Timestamp": "9" * 400},
    lambda: {"X-Vapi-Secret": ""},
    lambda: {"X-Vapi-Secret": KEY},
]


async def test_what_vapi_signed_is_believed(client: Client) -> None:
    assert [(await post(client, headers()))[0] for headers in BELIEVED] == [200] * len(BELIEVED)


@pytest.mark.parametrize(
    "wrong", [REFUSED[:5], REFUSED[5:10], REFUSED[10:]], ids=["first", "second", "third"]
)  # the sixth would be slowed down
async def test_only_what_vapi_signed_is_believed(client: Client, wrong: list[Callable[[], Headers]]) -> None:
    answers = [await post(client, headers()) for headers in wrong]
    assert [(status, answer.get("code")) for status, answer in answers] == [(401, "unauthorized")] * len(wrong)


@pytest.mark.parametrize("seconds", [-400, 400])
async def test_an_old_signature_is_worthless(client: Client, seconds: int) -> None:
    assert (await post(client, signed(at=int(time.time()) + seconds)))[0] == 401
    assert (await post(client, signed(at=int(time.time()) + seconds // 2)))[0] == 200


@pytest.mark.parametrize(
    "algorithm", [pytest.param("sha1", marks=pytest.mark.slow), "sha256", pytest.param("sha512", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("encode", [bytes.hex, lambda found: base64.b64encode(found).decode()], ids=["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "v1,"])
async def test_every_credential_that_vapi_offers(
    vapi: StandIn, tmp_path: Path, algorithm: str, encode: Callable[[bytes], str], prefix: str
) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_hmac_key=KEY, webhook_hmac_payload="{method}:{body}") as client:
        for body, expected in ((BODY, 200), (BODY + b" ", 401)):
            shown = prefix + encode(digest(b"POST:" + BODY, algorithm))
            assert (await post(client, {"X-Signature": shown}, body))[0] == expected


async def test_the_secret_is_enough_where_both_are_set(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_hmac_key=KEY, webhook_secret="s3cret") as client:
        for headers in ({"X-Vapi-Secret": "s3cret"}, {"Authorization": "s3cret"}, {"Authorization": "Bearer s3cret"}, signed()):
            assert (await post(client, headers))[0] == 200


@pytest.mark.parametrize("header", ["X-Other: 1", "X-Vapi-Secret: wrong", "X-Timestamp: 1", "X-Signature: "])
async def test_what_carries_no_signature_is_refused_unread(client: Client, header: str) -> None:
    assert (await answer_to(client.url, ROUTE, header)).startswith("HTTP/1.1 401")


async def test_an_announced_length_beyond_the_limit_is_refused_unread(client: Client) -> None:
    assert (await answer_to(client.url, ROUTE, "X-Signature: 00", length=3_000_000)).startswith("HTTP/1.1 413")


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 100_000

    headers = {"Content-Type": "application/json", **signed()}
    try:
        async with client.session.post(client.url + ROUTE, data=endless(), headers=headers) as answer:
            assert answer.status == 413
    except aiohttp.ClientOSError:
        pass  # the server closed the connection while the body was being sent


async def test_wrong_signatures_are_slowed_down(client: Client) -> None:
    statuses = [(await post(client, signed(key="wrong")))[0] for _ in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_no_more_than_its_share_is_read_of_one_address_unchecked(client: Client) -> None:
    lines = (f"POST {ROUTE} HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 9", "X-Signature: 00")
    port = int(client.url.rsplit(":", 1)[1])
    held = []
    for _ in range(32):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        held.append(writer)
    async with asyncio.timeout(HANG_S):
        while (await post(client, signed()))[0] != 429:
            pass
        for writer in held:
            writer.close()
        while (await post(client, signed()))[0] != 200:
            pass


@pytest.mark.parametrize("payload", ["{timestamp}", "{body}.{url}", "body"])
def test_a_payload_that_can_t_be_verified_is_refused_at_the_start(payload: str) -> None:
    with pytest.raises(SettingsError, match="EARSHOT_WEBHOOK_HMAC_PAYLOAD"):
        read_settings({"EARSHOT_WEBHOOK_HMAC_PAYLOAD": payload}, dotenv=None)


def test_the_digests_are_those_of_the_standard() -> None:
    """RFC 4231, 4.3: the test would else prove only that two copies of one mistake agree."""
    key, data = "Jefe", b"what do ya want for nothing?"
    assert hmac.new(key.encode(), data, hashlib.sha256).hexdigest().startswith("5bdcc146bf60754e6a042426089575c7")
