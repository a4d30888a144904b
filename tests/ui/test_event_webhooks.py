"""The webhooks in the settings are read by one task, however often their panel is opened and closed."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from nicegui import core

from services.domain.errors import JournalError
from tests.listening.stand_in import eventually
from ui.settings import event_webhooks
from ui.settings.event_webhooks import EventWebhooksPanel


class Page(nullcontext[None]):
    is_deleted = False


class Endpoints:
    def __init__(self) -> None:
        self.reads = 0

    async def all(self) -> list[Any]:
        self.reads += 1
        raise JournalError("locked")


def readers() -> int:
    return sum(task.get_name() == "show webhooks" for task in asyncio.all_tasks())


async def test_one_task_reads_while_it_is_open_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
    monkeypatch.setattr(event_webhooks, "_REFRESH_S", 0.01)
    endpoints: Any = Endpoints()
    panel: Any = EventWebhooksPanel(endpoints)
    panel._client, panel._notice = Page(), SimpleNamespace(show_error=lambda _error: None)
    for is_open in (True, False, True, False, True):
        panel._toggle(SimpleNamespace(args=is_open))
        await asyncio.sleep(0)
    await eventually(lambda: endpoints.reads > 3)
    assert readers() == 1
    panel._toggle(SimpleNamespace(args=False))
    await eventually(lambda: readers() == 0)
