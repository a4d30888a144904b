"""A desk as main.py makes it, over a journal in a folder of the test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from main import desk_of
from services.desk.desk import CallDesk
from services.settings import Settings
from services.vapi.gateway import Gateway
from services.vapi.no_credentials import NoCredentials
from tests.journals import open_journal

ASSISTANT = "6d1f0000-0000-4000-8000-000000000001"
PHONE = "1c9e0000-0000-4000-8000-000000000002"
SETTINGS = Settings(
    api_key="private",
    assistant_id=ASSISTANT,
    phone_number_id=PHONE,
    allowed_regions=frozenset({"*"}),
    calls_per_hour=None,
    calls_per_day=None,
    concurrent_calls=None,
)
"""No limits, so that a test that is about one sets it."""


@asynccontextmanager
async def desk_in(folder: Path, gateway: Gateway | None, journal_at: str | None = None, **settings: Any) -> AsyncIterator[CallDesk]:
    """A started desk, closed afterwards with its journal: that at a database's URL, else a file in the folder. The gateway stays the
    caller's; None: a desk without credentials.
    """
    account = replace(SETTINGS, data_dir=folder, **settings)
    if gateway is None:
        account = account if account.missing else replace(account, api_key="")
        gateway = NoCredentials(account.missing)
    journal = await open_journal(journal_at or folder / "journal.sqlite")
    desk = desk_of(account, gateway, journal, demo=False)
    await desk.start()
    try:
        yield desk
    finally:
        await desk.aclose()
        await journal.aclose()


@asynccontextmanager
async def desk_at(vapi_url: str, folder: Path, **settings: Any) -> AsyncIterator[CallDesk]:
    """A desk with a gateway of its own, as another process would have."""
    gateway = Gateway(api_key="private", base_url=vapi_url)
    try:
        async with desk_in(folder, gateway, **settings) as desk:
            yield desk
    finally:
        await gateway.aclose()


@asynccontextmanager
async def two_desks(vapi_urls: tuple[str, str], folder: Path, **settings: Any) -> AsyncIterator[tuple[CallDesk, CallDesk]]:
    """Two processes on one journal."""
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(desk_at(url, folder, **settings)) for url in vapi_urls]
        yield one, other


async def anybody_may(*_: object) -> None:
    """For `Recordings`: lets every client record every call."""
