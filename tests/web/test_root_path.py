"""Everything under a path (EARSHOT_ROOT_PATH): what is found, and the addresses that are given out."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from services.settings import SettingsError, read_settings
from services.support.root_path import address, path_of, serve_under
from services.web.server.root_path import RootPath
from tests.serving import serving


@pytest.fixture
def root() -> Iterator[str]:
    serve_under("/calls")
    yield "/calls"
    serve_under("")


@pytest.fixture
async def url(root: str) -> AsyncIterator[str]:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = Request(scope)
        await JSONResponse({"path": path_of(scope), "whole": scope["path"], "base": request.base_url.path})(scope, receive, send)

    async with serving(RootPath(echo)) as served:
        yield served


@pytest.mark.parametrize(
    ("asked", "path"), [("/calls/", "/"), ("/calls/api/calls", "/api/calls"), ("/", "/"), ("/api/calls", "/api/calls")]
)
async def test_a_proxy_may_pass_the_path_on_or_remove_it(url: str, asked: str, path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(url + asked) as answer:
        assert await answer.json() == {"path": path, "whole": f"/calls{path}", "base": "/calls/"}


async def test_the_bare_path_leads_to_the_page(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/calls?to=1", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/calls/?to=1")


async def test_another_path_that_begins_alike_is_not_it(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/callsigns") as answer:
        assert (await answer.json())["path"] == "/callsigns"


def test_addresses_have_it(root: str) -> None:
    assert address("/api/calls") == "/calls/api/calls"
    serve_under("")
    assert address("/api/calls") == "/api/calls"


@pytest.mark.parametrize(("text", "path"), [("/calls", "/calls"), ("/calls/", "/calls"), ("/a/b-c", "/a/b-c"), ("/", "")])
def test_settings_take_a_path(text: str, path: str) -> None:
    assert read_settings({"EARSHOT_ROOT_PATH": text}, None).root_path == path


@pytest.mark.parametrize(
    "text",
    ["calls", "//calls", "/calls?x", "/../x", "/ca lls", "http://x/calls", "/api", "/API/x", "/login", "/health", "/metrics/x", "/ça"],
)
def test_settings_refuse_what_is_no_path_or_one_of_ours(text: str) -> None:
    with pytest.raises(SettingsError, match="EARSHOT_ROOT_PATH takes a path"):
        read_settings({"EARSHOT_ROOT_PATH": text}, None)
