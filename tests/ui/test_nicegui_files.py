"""NiceGUI's files as browsers get them: what it would send itself, but packed once, and nothing beside them."""

import gzip
from pathlib import Path

import httpx
import nicegui
import pytest
from nicegui.dependencies import js_components, libraries
from rjsmin import jsmin
from starlette.responses import PlainTextResponse

from ui.dial.dialer import DialForm
from ui.kit.press import PRESS
from ui.shell.nicegui_files import ROUTE, NiceguiFiles

ELSEWHERE = "left to NiceGUI"
STATIC = ["vue.esm-browser.prod.js", "quasar.umd.prod.js", "nicegui.js", "dompurify.mjs", "nicegui.css", "lang/en-US.umd.prod.js"]


def browser(encodings: str = "gzip, br") -> httpx.AsyncClient:
    app = NiceguiFiles(PlainTextResponse(ELSEWHERE))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", headers={"Accept-Encoding": encodings})


@pytest.mark.parametrize("name", STATIC)
async def test_a_file_is_what_nicegui_has(name: str) -> None:
    assert any(getattr(route, "path", "") == f"{ROUTE}/static" for route in nicegui.app.routes)  # it is where NiceGUI has it, too
    expected = (Path(nicegui.__file__).parent / "static" / name).read_bytes()
    async with browser() as client:
        answers = [await client.get(f"{ROUTE}/static/{name}") for _ in range(2)]
    for answer in answers:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].split(";")[0].removeprefix("text/") in ("javascript", "css")
        assert answer.content == expected
        assert int(answer.headers["Content-Length"]) <= len(gzip.compress(expected))


async def test_our_components_and_what_they_import_are_sent_as_our_other_scripts_are() -> None:
    assert DialForm.component
    library = next(library for library in libraries.values() if library.path == PRESS)
    async with browser() as client:
        component = await client.get(f"{ROUTE}/components/{DialForm.component.key}")
        imported = await client.get(f"{ROUTE}/libraries/{library.key}")
    assert component.text == jsmin(DialForm.component.path.read_text())
    assert imported.text == jsmin(PRESS.read_text())
    assert DialForm.component.key in js_components


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"{ROUTE}/static/nothing.js",
        f"{ROUTE}/static/favicon.ico",
        f"{ROUTE}/static/{'a' * 300}.js",
        f"{ROUTE}/static//etc/nothing.js",
        f"{ROUTE}/static/%2e%2e/nicegui.py",
        f"{ROUTE}/static/..%2f..%2fwatchfiles/nothing.js",
        f"{ROUTE}/components/nothing/nothing.js",
        f"{ROUTE}/resources/a/b.js",
        "/_nicegui/0.0.0/static/nicegui.js",
    ],
)
async def test_anything_else_is_left_to_nicegui(path: str) -> None:
    async with browser() as client:
        assert (await client.get(path)).text == ELSEWHERE


async def test_who_takes_no_gzip_is_left_to_nicegui() -> None:
    async with browser("identity") as client:
        assert (await client.get(f"{ROUTE}/static/nicegui.js")).text == ELSEWHERE
    async with browser() as client:
        assert (await client.post(f"{ROUTE}/static/nicegui.js")).text == ELSEWHERE


async def test_a_file_outside_of_the_folder_is_not_sent() -> None:
    outside = f"{ROUTE}/static/../elements/audio.js"
    sent: list[dict[str, object]] = []
    scope = {"type": "http", "method": "GET", "path": outside, "headers": [(b"accept-encoding", b"gzip")], "query_string": b""}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await NiceguiFiles(PlainTextResponse(ELSEWHERE))(scope, None, send)  # type: ignore[arg-type]
    assert sent[-1]["body"] == ELSEWHERE.encode()
