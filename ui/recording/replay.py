"""The Python side of ui/recording/replay.js: a recorded call with its waveform, sound and transcript."""

from collections.abc import Callable
from urllib.parse import quote

from nicegui.element import Element

from services.measures.measured import Measured
from services.recording.clips import LONGEST_S
from services.support.root_path import address
from ui.kit.given import number
from ui.kit.markup import set_props
from ui.kit.times import FORMATS
from ui.words import text
from ui.words.turns import said_turns

_OWN = (
    "replay loading failed play pause seek position speed both mute_customer mute_assistant gap takeover transcript no_transcript"
    " clip clip_from clip_to clip_here_from clip_here_to clip_flac clip_wav clip_order clip_long clip_parts"
)
_WORDS = {
    **{name: f"replay_{name}" for name in _OWN.split()},
    "again": "try_again",
    "customer": "customer",
    "assistant": "assistant",
    "both_ears": "spread",
    "note": "note_here",
    "key_answer": "player_key_answer",
    "key_interruption": "player_key_interruption",
}
"""The component's names for its texts, and the keys of the texts."""

_MODULES = [
    "../kit/fill.js",
    "../kit/mute_button.js",
    "../kit/turns.js",
    "../kit/turn_marks.js",
    "clip.js",
    "recorded_sound.js",
    "replay_lines.js",
    "stereo.js",
    "waveform.js",
]


class Replay(Element, component="replay.js", dependencies=[FORMATS, *_MODULES]):
    """Loads and replays the finished recording of `call_id`, ours or, with `vapis`, that of Vapi. Children appear beside its controls.

    `start_s` is where it begins, in seconds, or `start_unix_s` since 1970. `on_line` is called with the index of the transcript line being
    spoken, -1 before the first; `on_note` with the moment in seconds about which somebody wants to write a note.
    """

    def __init__(
        self,
        call_id: str,
        *,
        vapis: bool = False,
        start_s: float = 0.0,
        start_unix_s: float | None = None,
        on_line: Callable[[int], None] | None = None,
        on_note: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__()
        words = {name: text(key) for name, key in _WORDS.items()}
        base = _vapis_address(call_id) if vapis else _address(call_id)
        set_props(self, base=base, words=words, start=start_s, notable=bool(on_note), clipped=0 if vapis else LONGEST_S)
        set_props(self, start_at=None if start_unix_s is None else 1000 * start_unix_s)
        if on_line:
            self.on("line", lambda event: on_line(-1 if (line := number(event.args)) is None else int(line)))
        if on_note:
            self.on("note", lambda event: None if (moment_s := number(event.args)) is None else on_note(moment_s))

    def seek(self, seconds: float) -> None:
        self.run_method("seek", seconds)

    def seek_time(self, unix_s: float) -> None:
        """The same for a time, in seconds since 1970."""
        self.run_method("seekTime", 1000 * unix_s)

    def mark_turns(self, measured: Measured) -> None:
        """Marks the turns on the lanes, and says of each line what was measured of its turn."""
        set_props(self, turns=said_turns(measured))


def download_address(call_id: str, part: int = 1) -> str:
    """The address that downloads the FLAC file."""
    return f"{_address(call_id)}/{part}.flac?download=true"


def vapis_download_address(call_id: str) -> str:
    """The address that downloads Vapi's recording."""
    return f"{_vapis_address(call_id)}/sound?download=true"


def _vapis_address(call_id: str) -> str:
    return address(f"/vapi-recordings/{quote(call_id, safe='')}")


def _address(call_id: str) -> str:
    return address(f"/recordings/{quote(call_id, safe='')}")
