"""Keyboard shortcuts of the whole page, and the palette that finds everything on it. The table of commands is in commands.js."""

from pathlib import Path

from nicegui.element import Element

from ui.kit.markup import set_props
from ui.words import say, text

COMMANDS = Path(__file__).with_name("commands.js")
"""The table, for components that import `commands`."""

_ASKED = ("record", "stop_recording", "end")
_NAMES = (
    "search",
    "number",
    "listen",
    "mute",
    "volume",
    "say",
    *_ASKED,
    "trouble",
    "fleet",
    "contacts",
    "present",
    "rules",
    "safety",
    "tour",
    "audit",
    "settings",
    "palette",
    "keys",
)


class Shortcuts(Element, component="shortcuts.js", dependencies=[COMMANDS, "../kit/fill.js"]):
    """Acts on keys that are pressed outside of fields. What can't be taken back is asked first."""

    def __init__(self) -> None:
        super().__init__()
        words = {
            "keys": say("command_keys"),
            "close": say("close"),
            "cancel": say("cancel"),
            "sure": {name: text(f"sure_{name}") for name in _ASKED},
            "space": say("space_bar"),
        }
        set_props(self, words={**words, "names": _names()})


class Present(Element, component="present.js", dependencies=["../kit/tab_title.js"]):
    """Shows the call on the stage to a room."""

    def __init__(self) -> None:
        super().__init__()
        set_props(self, words={"on": say("presenting"), "leave": say("present_leave")})


class Palette(Element, component="palette.js", dependencies=[COMMANDS]):
    """Hidden until Ctrl+K."""

    def __init__(self) -> None:
        super().__init__()
        words = {"title": say("palette_title"), "nothing": say("none_found_title"), "actions": say("palette_actions")}
        more = {"calls": say("calls_list"), "number": say("number"), "space": say("space_bar")}
        set_props(self, words={**words, **more, "names": _names()})


def _names() -> dict[str, str]:
    return {name: say(f"command_{name}") for name in _NAMES}
