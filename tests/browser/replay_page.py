"""Earshot with one more page, `/replay/<call id>`, on which there is nothing but that call's replay."""

import sys

from nicegui import ui

from main import main
from ui.kit.markup import Box, Text
from ui.recording.replay import Replay, download_address


@ui.page("/replay/{call_id}")
def replay(call_id: str) -> None:
    with ui.context.client.content.classes(replace="desk"), Box("section", "card stage"):
        heard = Text("p", "", "sr-only", data_testid="line")
        with Replay(call_id, on_line=lambda line: heard.show(str(line))):
            Text("a", "Download", "btn", href=download_address(call_id))


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
