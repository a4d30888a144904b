"""Turns utterances into the lines of a transcript. Each may arrive twice, by listen socket and by webhook. Pure."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from services.domain.speech import Utterance

Speaker = Literal["customer", "assistant"]

MOST_LINES = 2000
"""Lines kept per call, about two hours of talk. The oldest are dropped first."""
_NEAR = 20  # newest lines that are checked for a repetition
_APART = timedelta(seconds=30)  # maximum time between two deliveries of the same line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One speaker's words until a pause. `key` identifies the line while its text grows; later lines have higher ones. `at`: its start."""

    key: int
    speaker: Speaker
    text: str
    at: datetime
    final: bool


@dataclass(slots=True)
class _Heard:
    """A line, its normalised words once it is final, and the ways by which its final text came, each with its own time."""

    line: Line
    words: str = ""
    ways: dict[str, object] = field(default_factory=dict)


class Transcript:
    """The lines of one call. A partial utterance replaces the speaker's open line; a final one closes it."""

    def __init__(self, *, most: int = MOST_LINES) -> None:
        self._most = most
        self._heard: list[_Heard] = []
        self._open: dict[Speaker, _Heard] = {}
        self._next = 1
        self._over = False

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(heard.line for heard in self._heard)

    def close(self) -> list[Line]:
        """Closes the open lines because the call has ended, and returns them. Late utterances still replace their text."""
        self._over = True
        for heard in self._open.values():
            heard.line = replace(heard.line, final=True)
        return [heard.line for heard in self._open.values()]

    def take(self, said: Utterance, *, at: datetime, way: str = "socket") -> Line | None:
        """Adds an utterance that came by `way`. Returns the new or changed line, or None if nothing changed."""
        text = said.text.strip()
        if said.speaker not in ("customer", "assistant") or not text:
            return None
        speaker = cast(Speaker, said.speaker)
        known = self._known(speaker, text, at=at, way=way, time=said.time, final=said.final)
        if known:
            if said.final:
                known.ways.setdefault(way, said.time)
            return None
        return self._write(speaker, text, at=at, way=way, time=said.time, final=said.final)

    def _known(self, speaker: Speaker, text: str, *, at: datetime, way: str, time: object, final: bool) -> _Heard | None:
        """The final line that this utterance repeats, having come another way or twice the same way."""
        words = _words(text)
        for heard in self._heard[-_NEAR:]:
            line = heard.line
            if not line.final or line.speaker != speaker or at - line.at > _APART + _spoken(line):
                continue
            twice = time is not None and heard.ways.get(way) == time
            same = heard.words == words if final else heard.words.startswith(words)
            if same and (twice or way not in heard.ways):
                return heard
        return None

    def _write(self, speaker: Speaker, text: str, *, at: datetime, way: str, time: object, final: bool) -> Line | None:
        heard = self._open.get(speaker)
        before = heard and heard.line
        if heard is None:
            heard = _Heard(Line(key=self._next, speaker=speaker, text=text, at=at, final=final or self._over))
            self._next += 1
            self._heard.append(heard)
            self._open[speaker] = heard
            del self._heard[: -self._most]
        else:
            heard.line = replace(heard.line, text=text, final=final or self._over)
        if final:
            heard.words = _words(text)
            heard.ways[way] = time
            del self._open[speaker]
        return None if heard.line == before else heard.line


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _spoken(line: Line) -> timedelta:
    """Roughly how long the line took to say."""
    return timedelta(seconds=len(line.text) / 10)
