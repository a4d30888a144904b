"""The texts of assets/audio_player.js in the page's language, by the component's own names."""

from typing import Any

from ui.words import say, text

_TEXTS = (
    "about tap playing live catchingUp jump float silent inRecording oneLane heardTerm heardIs bothEars speaking noGaps gaps shortGaps"
    " delay delayIs gapsTerm gapsAre caughtUp caughtUpBy leftOut leftOutIs format formatIs apart together mulaw linear clock"
    " inStep fast slow device deviceIs deviceSilent connection neverLost lost stayLive stayLiveMeans hearAs hearAsMeans"
    " asTheCallSays output outputMeans systemDevice chooseDevice deviceMissing needsWindow autoGain autoGainMeans gainTerm gainIs problem"
)
_STATES = (
    *("idle", "starting", "waiting", "gap", "reconnecting", "blocked", "expired", "ended", "stopped"),
    *("unsupported", "insecure", "failed"),
)
_GROUNDS = {"operator": "operator", "start frame": "start_frame", "measured": "measured", "assumed": "assumed"}


def player_words() -> dict[str, Any]:
    """The value for the element's property `words`. The browser fills placeholders such as `{seconds}` and picks plural forms."""
    who = ("customer", "assistant")
    return {
        **{name: text(f"player_{name}") for name in _TEXTS.split()},
        **{speaker: say(speaker) for speaker in who},
        "ear": {speaker: say(f"player_ear_{speaker}") for speaker in who},
        "mute": {lane: say(f"player_mute_{lane}") for lane in (*who, "both")},
        "volume": {lane: say(f"player_volume_{lane}") for lane in (*who, "both")},
        "key": {mark: say(f"player_key_{mark}") for mark in ("speaks", "gap", "catchesUp", "answer", "interruption")},
        "missed": {cause: text(f"player_missed_{cause}") for cause in ("sleep", "connection", "device")},
        "states": {state: say(f"player_state_{state}") for state in _STATES} | {"no-device": say("player_state_no_device")},
        "grounds": {ground: say(f"player_ground_{key}") for ground, key in _GROUNDS.items()},
    }
