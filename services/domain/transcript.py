"""What is said in a call, line by line, from events that may come twice: by the listen socket and by a webhook. Pure."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from services.domain.speech import Utterance

Speaker = Literal["customer", "assistant"]

MOST_LINES = 2000
"""Of one call; the oldest go first. Some two hours of talk."""
_NEAR = 20  # lines from the end among which one that comes again is looked for
_APART = timedelta(seconds=30)  # as far as the same line may come apart by two ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one side says in one go. `key` stays with the line while its text grows, and grows from line to line; `at` is its beginning."""

    key: int
    speaker: Speaker
    text: str
    at: datetime
    final: bool


@dataclass(slots=True)
class _Heard:
    """A line, its bare words once it is final, and by which ways it came to its end, with the time that each gave it."""

    line: Line
    words: str = ""
    ways: dict[str, object] = field(default_factory=dict)


class Transcript:
    """The lines of one call. A partial replaces the speaker's open line, a final one closes it."""

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
        """The call has ended, and with it the lines that were open, which are given as they stand: nobody goes on with them. What was on
        its way still takes their place.
        """
        self._over = True
        for heard in self._open.values():
            heard.line = replace(heard.line, final=True)
        return [heard.line for heard in self._open.values()]

    def take(self, said: Utterance, *, at: datetime, way: str = "socket") -> Line | None:
        """Takes in an utterance that came by `way`. Returns the new or changed line, or None if nothing changed."""
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
        """The finished line that this is a repetition of, by another way or delivered twice by the same."""
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
    """About how long it took to say, since `at` is when it began."""
    return timedelta(seconds=len(line.text) / 10)
