"""The figures of a call and when its sound began, as they are stored and as JSON has them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.measures.figures import Figures
from services.measures.floor import Conversation
from services.measures.turns import Stretch, Turn
from services.support.rfc3339 import rfc3339


@dataclass(frozen=True, slots=True)
class Measured:
    """`started_at`: the Unix time of the call's first sound, from which the figures count their seconds."""

    started_at: float
    figures: Figures

    def brief(self) -> dict[str, Any]:
        """Without the lists, as JSON."""
        return {"startedAt": rfc3339(datetime.fromtimestamp(self.started_at, UTC)), **self.figures.brief()}

    def json(self) -> dict[str, Any]:
        return {"startedAt": rfc3339(datetime.fromtimestamp(self.started_at, UTC)), **self.figures.json()}

    def dump(self) -> str:
        """As text that `load` reads back to the same figures. Who speaks at the moment is not kept."""
        one = self.figures.conversation
        stored = {
            "startedAt": self.started_at,
            "until": one.until,
            "turns": [[turn.channel, turn.start, turn.end, turn.response_s, int(turn.interrupts)] for turn in one.turns],
            "backchannels": [[turn.channel, turn.start, turn.end] for turn in one.backchannels],
            "talk": one.talk_s,
            "overlap": one.overlap_s,
            "silences": _pairs(one.silences),
            "missing": _pairs(self.figures.missing),
            "clipped": self.figures.clipped_s,
        }
        return json.dumps(stored, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Measured":
        stored = json.loads(text)
        conversation = Conversation(
            until=stored["until"],
            turns=tuple(
                Turn(channel, start, end, response_s, bool(interrupts)) for channel, start, end, response_s, interrupts in stored["turns"]
            ),
            backchannels=tuple(Turn(channel, start, end) for channel, start, end in stored["backchannels"]),
            talk_s=(stored["talk"][0], stored["talk"][1]),
            overlap_s=stored["overlap"],
            silences=_stretches(stored["silences"]),
        )
        clipped_s = (stored["clipped"][0], stored["clipped"][1])
        return cls(stored["startedAt"], Figures(conversation, _stretches(stored["missing"]), clipped_s))


def _pairs(stretches: tuple[Stretch, ...]) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in stretches]


def _stretches(pairs: list[list[float]]) -> tuple[Stretch, ...]:
    return tuple(Stretch(start, end) for start, end in pairs)
