"""What browsers load: small, whole, and kept for good only under the version's address."""

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from rjsmin import jsmin
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.node import node_path
from ui.kit.assets import ASSETS, FONT, ROUTE, STYLE, WORKLET, AssetFiles, versioned

PLAYER = ["live_playout.js", "live_session.js", "live_socket_worker.js", WORKLET]


# An AudioWorklet's surroundings, as far as the processor needs them.
HEARD = """
globalThis.sampleRate = 48000;
globalThis.currentTime = 0;
globalThis.AudioWorkletProcessor = class { port = { postMessage() {} }; };
let Processor;
globalThis.registerProcessor = (_, processor) => { Processor = processor; };
await import(process.argv[2]);
const player = new Processor();
const socket = {};
player.port.onmessage({ data: { audio: socket } });
socket.onmessage({ data: { start: { sampleRate: 16000, channels: 2, encoding: "linear16" } } });
const heard = [];
const ears = [[new Float32Array(128), new Float32Array(128)]];
for (let quantum = 0; quantum < 375; quantum++) {
  const pcm = Int16Array.from({ length: 86 }, (_, k) => 9000 * Math.sin(quantum * 43 + k));
  socket.onmessage({ data: { pcm: pcm.buffer, at: quantum / 375 } });
  player.process([], ears);
  heard.push(...ears[0][0]);
}
console.log(JSON.stringify(heard));
"""


def browser() -> httpx.AsyncClient:
    app = Starlette(routes=[Mount(ROUTE, AssetFiles())])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


def unnamed(script: str) -> str:
    """`script` without the names of private fields, which are sent shortened."""
    return re.sub(r"#[A-Za-z]\w*", "#", script)


@pytest.mark.parametrize(
    "name", [STYLE, *(path.relative_to(ASSETS).as_posix() for path in sorted(ASSETS.rglob("*")) if path.suffix in (".js", ".css"))]
)
async def test_texts_are_sent_packed_and_whole(name: str) -> None:
    async with browser() as client:
        packed = await client.get(f"{ROUTE}/{name}", headers={"Accept-Encoding": "gzip"})
        plain = await client.get(f"{ROUTE}/{name}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.text == plain.text
    if name not in (STYLE, WORKLET):
        text = (ASSETS / name).read_text()
        assert unnamed(plain.text) == unnamed(str(jsmin(text)) if name.endswith(".js") else text)


async def test_the_style_sheets_come_as_one() -> None:
    async with browser() as client:
        style = (await client.get(f"{ROUTE}/{STYLE}")).text
    assert (ASSETS / "styles" / "tokens.css").read_text() in style
    assert (ASSETS / "styles" / "safety.css").read_text() in style


@pytest.mark.process
async def test_the_worklet_comes_as_one_module_that_says_what_its_parts_say(tmp_path: Path) -> None:
    async with browser() as client:
        joined = (await client.get(f"{ROUTE}/{WORKLET}")).text
    assert not re.search(r"^(import|export)\b", joined, re.MULTILINE)
    (tmp_path / "joined.mjs").write_text(joined)
    (tmp_path / "heard.mjs").write_text(HEARD)
    as_one = heard(tmp_path, "./joined.mjs")
    assert as_one == heard(tmp_path, (ASSETS / WORKLET).as_uri())
    assert len(set(as_one)) > 100


def heard(folder: Path, module: str) -> list[float]:
    """What the worklet's processor makes of a second of sound, outside of a browser."""
    ran = subprocess.run([node_path(), "heard.mjs", module], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", [STYLE, WORKLET, FONT, "live_playout.js", "playout/playout.js"])
async def test_only_the_current_version_is_kept_for_good(name: str) -> None:
    async with browser() as client:
        current = await client.get(versioned(name))
        revalidated = [await client.get(f"{ROUTE}/{place}") for place in (name, f"0123456789ab/{name}")]
    assert "immutable" in current.headers["Cache-Control"]
    for answer in revalidated:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content == current.content  # a page that was opened before an update goes on working


@pytest.mark.parametrize("name", ["nothing.js", "other/live_playout.js", "0123456789abc/live_playout.js", "../main.py"])
async def test_there_is_nothing_else(name: str) -> None:
    async with browser() as client:
        assert (await client.get(versioned(name))).status_code == 404
        assert (await client.get(f"{ROUTE}/{name}")).status_code == 404


async def test_the_whole_player_is_small() -> None:
    async with browser() as client:
        sent = [(await client.get(f"{ROUTE}/{name}", headers={"Accept-Encoding": "gzip"})).headers["Content-Length"] for name in PLAYER]
    assert sum(int(length) for length in sent) <= 15 * 1024


def test_a_class_is_styled_by_one_sheet() -> None:
    """Two ideas with one name would look like each other: a label once got the border of a line in the transcript."""
    sheets: dict[str, set[str]] = {}
    for sheet in (ASSETS / "styles").glob("*.css"):
        plain = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        for name in re.findall(r"^(\.[\w-]+) \{", plain, flags=re.MULTILINE):
            sheets.setdefault(name, set()).add(sheet.name)
    assert len(sheets) > 100
    assert {name: found for name, found in sheets.items() if len(found) > 1} == {}


def test_what_holds_the_page_or_a_call_is_styled_by_its_own_classes() -> None:
    """What a `:has()` of theirs depends on may change with any element, so each word of a transcript had the browser work out the style of
    the whole page: 235 ms in 5 s of a call, 20 ms since. Narrow windows are left out: less of the page is in them."""
    found = []
    for sheet in (ASSETS / "styles").glob("*.css"):
        plain = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        wide = re.sub(r"@media[^{]*\(max-width: [1-8]\d\dpx\) \{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", plain)
        found += [
            (sheet.name, one) for one in re.findall(r"(?:html|body|:root|\.desk|\.columns|\.stage|\.talked)[^\s,{]*:has\([^,{]*", wide)
        ]
    assert found == []
