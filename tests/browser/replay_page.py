"""Earshot with one more page, `/replay/<call id>`, on which there is nothing but that call's replay."""

import sys

from nicegui import ui

from main import main
from ui.markup import Box, Text
from ui.replay import Replay, download_address

WORDS = {
    "replay": "Recording",
    "loading": "Loading the recording",
    "failed": "The recording can't be loaded.",
    "again": "Try again",
    "play": "Play",
    "pause": "Pause",
    "seek": "Position in the recording",
    "position": "{now} of {all}",
    "speed": "Speed",
    "customer": "Customer",
    "assistant": "Assistant",
    "both": "Both speakers",
    "mute_customer": "Mute customer",
    "mute_assistant": "Mute assistant",
    "both_ears": "Both ears",
    "gap": "For {seconds} s at {time} there was no sound.",
    "transcript": "What was said",
    "no_transcript": "Nothing of what was said was written down.",
}


@ui.page("/replay/{call_id}")
def replay(call_id: str) -> None:
    with ui.context.client.content.classes(replace="desk"), Box("section", "card stage"):
        heard = Text("p", "", "sr-only", data_testid="line")
        with Replay(call_id, words=WORDS, on_line=lambda line: heard.show(str(line))):
            Text("a", "Download", "btn", href=download_address(call_id))


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
