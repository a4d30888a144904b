"""`/docs` in a Chromium that can reach no other server: the operations are there, and the console is silent."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from fastapi import FastAPI
from playwright.async_api import ConsoleMessage, Route, async_playwright

from services.settings import LOOPBACK_HOSTS
from services.web.access.gatekeeper import Gatekeeper
from services.web.answers import CallDetails
from services.web.requests import CallRequest
from services.web.routes.docs_page import install_docs
from tests.chromium import FLAGS, chromium_path
from tests.serving import serving


def described() -> FastAPI:
    """An API with bodies, parameters and several answers, as ours has."""
    api = FastAPI(title="Earshot", version="1", docs_url=None, redoc_url=None)

    @api.post("/api/vapi_call", status_code=201, summary="Place a call")
    async def place(_wanted: CallRequest) -> dict[str, str]:
        return {}

    @api.get("/api/calls/{call_id}", responses={200: {"model": CallDetails}})
    async def call(call_id: str) -> dict[str, str]:
        return {"id": call_id}

    install_docs(api)
    return api


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(Gatekeeper(described(), allowed_hosts=LOOPBACK_HOSTS)) as url:
        yield url


@pytest.mark.browser
async def test_every_operation_is_shown_without_the_internet(url: str) -> None:
    foreign: list[str] = []
    complaints: list[str] = []

    async def ours_alone(route: Route) -> None:
        if route.request.url.startswith((url, "data:", "blob:")):
            await route.continue_()
        else:
            foreign.append(route.request.url)
            await route.abort()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    async with aiohttp.ClientSession() as session, session.get(f"{url}/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    operations = sum(len(methods) for methods in paths.values())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = await browser.new_page(color_scheme="dark")
        await page.route("**/*", ours_alone)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{url}/docs")
        shown = page.locator(".opblock")
        await shown.nth(operations - 1).wait_for()
        assert await shown.count() == operations
        assert await page.title() == "Earshot API"
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(28, 32, 34)"
        await page.locator("#operations-default-place_api_vapi_call_post").get_by_role("button").first.click()
        await page.get_by_text("Try it out").wait_for()
        assert {path for path in paths if await page.locator(f'[data-path="{path}"]').count()} == set(paths)
        await browser.close()
    assert (foreign, complaints) == ([], [])


async def test_the_page_is_no_part_of_the_api_and_its_files_are_there(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/openapi.json") as answer:
            assert not [path for path in (await answer.json())["paths"] if path.startswith("/docs")]
        for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
            async with session.get(f"{url}/docs/static/{name}") as answer:
                assert (answer.status, answer.content_type) == (200, kind)
        async with session.get(f"{url}/docs/static/../../main.py") as answer:
            assert answer.status == 404
        async with session.get(f"{url}/docs") as answer:
            assert "cdn" not in await answer.text()
