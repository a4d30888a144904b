"""The Python face of assets/replay.js: a recorded call with its waveform, its sound, and what was said."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from nicegui.element import Element

from ui.assets import ASSETS
from ui.markup import set_props
from ui.times import FORMATS

WORDS = (
    "replay",
    "loading",
    "failed",
    "again",
    "play",
    "pause",
    "seek",
    "position",  # with {now} and {all}
    "speed",
    "customer",
    "assistant",
    "both",
    "mute_customer",
    "mute_assistant",
    "both_ears",
    "gap",  # with {seconds} and {time}
    "transcript",
    "no_transcript",
)
"""The texts that a replay shows."""


_MODULES = [ASSETS / f"{name}.js" for name in ("fill", "mute_button", "recorded_sound", "replay_lines", "stereo", "waveform")]


class Replay(Element, component=ASSETS / "replay.js", dependencies=[FORMATS, *_MODULES]):
    """Replays the finished recording of `call_id`, loading it by itself; what is put into it stands beside its controls.

    `words` has a text for each of WORDS. `on_line` hears which line of the transcript is being spoken: its index, -1 before the first.
    """

    def __init__(self, call_id: str, *, words: Mapping[str, str], on_line: Callable[[int], None] | None = None) -> None:
        super().__init__()
        set_props(self, base=_address(call_id), words={key: words[key] for key in WORDS})
        if on_line:
            self.on("line", lambda event: on_line(int(event.args)))


def download_address(call_id: str, part: int = 1) -> str:
    """Where a link for saving the FLAC points."""
    return f"{_address(call_id)}/{part}.flac?download=true"


def _address(call_id: str) -> str:
    return f"/recordings/{quote(call_id, safe='')}"
