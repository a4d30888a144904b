"""A desk as main.py makes it, over a journal in a folder of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from main import desk_of
from services.desk.desk import CallDesk
from services.journal import Journal
from services.settings import Settings
from services.vapi.gateway import Gateway
from services.vapi.no_credentials import NoCredentials

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
async def desk_in(folder: Path, gateway: Gateway | None, **settings: Any) -> AsyncIterator[CallDesk]:
    """A started desk, closed afterwards with its journal. The gateway stays the caller's; None: a desk without credentials."""
    account = replace(SETTINGS, data_dir=folder, **settings)
    if gateway is None:
        account = account if account.missing else replace(account, api_key="")
        gateway = NoCredentials(account.missing)
    journal = await Journal.open(f"sqlite:///{folder / 'journal.sqlite'}")
    desk = desk_of(account, gateway, journal, demo=False)
    await desk.start()
    try:
        yield desk
    finally:
        await desk.aclose()
        await journal.aclose()
