"""Who acts, and in which language, where what they pressed is gone before the handler is done."""

import asyncio
import gc

import nicegui
import pytest
from nicegui import Client, background_tasks, ui

from services.domain.client import PAGE
from ui import words
from ui.kit.visitor import visitor, welcome_visitor
from ui.tab import tab


async def test_a_press_is_done_for_its_tab_also_once_what_was_pressed_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nicegui.core, "loop", asyncio.get_running_loop())
    deleted = asyncio.Event()
    seen: list[object] = []

    async def pressed() -> None:
        await deleted.wait()
        seen.extend((tab(), visitor(), words.language()))

    with Client(ui.page("/")) as client:
        welcome_visitor(PAGE, lambda: PAGE)
        words._languages[client] = "de"
        notice = ui.element()
        with notice:
            button = ui.element()
        working = background_tasks.create(pressed(), context=button.parent_slot)
    await asyncio.sleep(0)
    notice.delete()
    del notice, button
    gc.collect()
    deleted.set()
    await working
    assert seen == [client, PAGE, "de"]
    client.delete()
