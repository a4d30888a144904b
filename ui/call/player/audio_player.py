"""The Python side of assets/audio_player.js: two lanes, and the sound of one call."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nicegui.element import Element

from services.domain.call import Call
from services.measures.measured import Measured
from services.support.root_path import address
from ui.call.player.player_words import player_words
from ui.kit.assets import ASSETS, versioned
from ui.kit.given import fields_of
from ui.kit.markup import set_props
from ui.words.turns import said_turns

_LISTENING = ("starting", "waiting", "playing", "gap", "reconnecting", "blocked", "no-device", "expired")
_MARKED_S = 40.0  # what the lanes show, and some more
_RENEW_INTERVAL_S = 5.0  # between new tickets, so that a refusal no ticket can cure is not retried endlessly


_KIT = ("fill", "mute_button", "remembered", "tab_title", "turns", "turn_marks")
_MODULES: list[str | Path] = [
    *(f"../../kit/{name}.js" for name in _KIT),
    *("floating.js", "formats.js", "lane.js", "media_keys.js", "player_template.js", "sound_output.js", "sound_words.js"),
]


class AudioPlayer(Element, component=ASSETS / "audio_player.js", dependencies=_MODULES):
    """Plays the call `call_id`. The browser starts and stops it within the user's click (`toggle_handler`).

    `who`: the other party, whom the system's media controls name.
    `autostart`: starts at once, which browsers allow for some time after a press.
    `on_state`: called with every state that the browser reports.
    """

    def __init__(
        self, call_id: str, *, who: str, issue_ticket: Callable[[str], str], autostart: bool, on_state: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.state = "idle"
        self._call_id = call_id
        self._issue_ticket = issue_ticket
        self._on_state = on_state
        self._renewed_at = float("-inf")
        self._marked: list[tuple[float, str]] = []
        module_url = versioned("live_playout.js")
        set_props(self, url=self._url(), module_url=module_url, who=who, autostart=autostart, heartbeat=True, words=player_words())
        self.on("state", lambda event: self._on_change(fields_of(event)))

    @property
    def listening(self) -> bool:
        """True if sound plays, or will as soon as there is some."""
        return self.state in _LISTENING

    @property
    def toggle_handler(self) -> str:
        """JavaScript for a click that starts or stops the sound without the server, since sound may only start within the click."""
        return (
            f"() => {{ const player = getElement({self.id}); {list(_LISTENING)}.includes(player.state) ? player.stop() : player.start(); }}"
        )

    @property
    def spread_handler(self) -> str:
        """JavaScript for a checkbox that plays both speakers in both ears."""
        return f"(event) => getElement({self.id}).setSpread(!event.target.checked)"

    def mark_turns(self, measured: Measured) -> None:
        """Marks the latest turns on the lanes."""
        turns = said_turns(measured, since_s=measured.figures.conversation.until - _MARKED_S)
        marked = [turn for turn in turns if turn["text"]]
        if [(turn["start"], turn["text"]) for turn in marked] != self._marked:
            self._marked = [(turn["start"], turn["text"]) for turn in marked]
            self.run_method("mark", {"now": 1000 * time.time(), "turns": marked})

    def tell(self, call: Call, *, recorded: bool) -> None:
        """Tells the browser whether the call has ended, and whether it is being recorded."""
        set_props(self, over=not call.running, recorded=recorded)

    def _on_change(self, change: Mapping[str, Any]) -> None:
        self.state = str(change.get("state"))
        if self.state == "expired" and time.monotonic() - self._renewed_at > _RENEW_INTERVAL_S:
            self._renewed_at = time.monotonic()
            set_props(self, url=self._url())
        self._on_state(self.state)

    def _url(self) -> str:
        return address(f"/api/calls/{quote(self._call_id, safe='')}/listen?ticket={self._issue_ticket(self._call_id)}")
