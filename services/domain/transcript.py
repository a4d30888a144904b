"""Turns utterances and occurrences into the lines of a transcript. Each may arrive twice, by listen socket and by webhook. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import cast

from services.domain.speech import Kind, Occurrence, Speaker, Utterance

MOST_LINES = 2000
"""Lines kept per call, about two hours of talk. The oldest are dropped first."""
_NEAR = 20  # newest lines that are checked for a repetition
_APART = timedelta(seconds=30)  # maximum time between two deliveries of the same line
_ALIKE = 0.65
"""From this ratio of `difflib` on, a partial is an earlier version of a final line. Eight rewordings had 0.64 to 0.95; of 720 pairs of
different beginnings from the demo conversation one had more than 0.61. A partial taken for another line is only not shown until its final
text comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One speaker's words until a pause, or what happened in between. `key` identifies a line while it grows, and increases.

    `at`: its start. `name`: the assistant's own, or the tool's or node's. Of a tool, `text` is its arguments and `result` what it returned;
    the line is final once there is a result.
    """

    key: int
    speaker: Speaker
    text: str
    at: datetime
    final: bool
    kind: Kind = Kind.SPEECH
    name: str = ""
    result: str | None = None


@dataclass(slots=True)
class _Heard:
    """A line, its normalised words once it is final, and the ways by which its final text came, each with its own time."""

    line: Line
    words: str = ""
    ways: dict[str, float | None] = field(default_factory=dict)
    tool_id: str = ""


class Transcript:
    """The lines of one call. A partial utterance replaces the speaker's open line; a final one closes it."""

    def __init__(self, *, most: int = MOST_LINES) -> None:
        self._most = most
        self._heard: list[_Heard] = []
        self._open: dict[Speaker, _Heard] = {}
        self._next = 1
        self._over = False
        self._assistant = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(heard.line for heard in self._heard)

    def close(self) -> list[Line]:
        """Closes the open lines because the call has ended, and returns them. Late utterances still replace their text."""
        self._over = True
        still_open = [heard for heard in self._heard if not heard.line.final]
        for heard in still_open:
            heard.line = replace(heard.line, final=True)
        return [heard.line for heard in still_open]

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
        return self._write(speaker, replace(said, text=text), at=at, way=way)

    def note(self, what: Occurrence, *, at: datetime, way: str = "socket") -> Line | None:
        """Takes in an occurrence that came by `way`. Returns the new or changed line, or None if nothing changed."""
        if what.kind is Kind.ASSISTANT:
            before, self._assistant = self._assistant, what.name
            if before in ("", what.name):  # the first assistant of a call does not take over from anybody
                return None
        same = self._occurred(what, at=at, way=way)
        if same is None:
            speaker: Speaker = "customer" if what.kind is Kind.INTERRUPTION else "assistant"
            final = what.kind is not Kind.TOOL or what.result is not None
            line = Line(key=0, speaker=speaker, text=what.text, at=at, final=final, kind=what.kind, name=what.name, result=what.result)
            same = self._add(line)
            same.tool_id, same.ways[way] = what.id, None
            return same.line
        same.ways.setdefault(way, None)
        line = same.line
        grown = replace(line, text=what.text or line.text, name=what.name or line.name, result=what.result or line.result)
        grown = replace(grown, final=line.final or what.result is not None)
        same.line = grown
        return None if grown == line else grown

    def _occurred(self, what: Occurrence, *, at: datetime, way: str) -> _Heard | None:
        """The line of a tool call by its id; of another occurrence, the one that came another way a moment ago."""
        if what.id:
            return next((heard for heard in reversed(self._heard) if heard.tool_id == what.id), None)
        for heard in self._heard[-_NEAR:]:
            same = heard.line.kind is what.kind and (heard.line.name, heard.line.text) == (what.name, what.text)
            if same and way not in heard.ways and at - heard.line.at <= _APART:
                return heard
        return None

    def _known(self, speaker: Speaker, text: str, *, at: datetime, way: str, time: float | None, final: bool) -> _Heard | None:
        """The final line that this utterance repeats, having come another way, twice the same way, or late."""
        words = _words(text)
        for heard in self._heard[-_NEAR:]:
            line = heard.line
            if not heard.ways or line.kind is not Kind.SPEECH or line.speaker != speaker or at - line.at > _APART + _spoken(line):
                continue
            before = heard.ways.get(way)
            if final:
                if heard.words == words and (way not in heard.ways or (time is not None and before == time)):
                    return heard
            elif time is not None and before is not None:
                if time <= before:  # overtaken by the final text
                    return heard
            elif way not in heard.ways and _version_of(words, heard.words):
                return heard
        return None

    def _write(self, speaker: Speaker, said: Utterance, *, at: datetime, way: str) -> Line | None:
        heard = self._open.get(speaker)
        before = heard and heard.line
        final = said.final or self._over
        if heard is None:
            heard = self._add(Line(key=0, speaker=speaker, text=said.text, at=at, final=final, name=said.name))
            self._open[speaker] = heard
        else:
            heard.line = replace(heard.line, text=said.text, final=final, name=said.name or heard.line.name)
        if said.final:
            heard.words = _words(said.text)
            heard.ways[way] = said.time
            del self._open[speaker]
        return None if heard.line == before else heard.line

    def _add(self, line: Line) -> _Heard:
        heard = _Heard(replace(line, key=self._next))
        self._next += 1
        self._heard.append(heard)
        del self._heard[: -self._most]
        return heard


def final_account(vapis: Sequence[Line], heard: Sequence[Line]) -> tuple[Line, ...]:
    """The transcript of an ended call: Vapi's text where it has any, else what was heard live.

    Vapi's keeps no interruptions, and not always what else happened: of the kinds that it lacks, the lines heard live are kept in their
    places.
    """
    kinds = {line.kind for line in vapis}
    if Kind.SPEECH not in kinds:
        return tuple(heard)
    missing = [line for line in heard if line.kind not in kinds]
    if not missing:
        return tuple(vapis)
    whole = sorted([*vapis, *missing], key=lambda line: line.at)
    return tuple(replace(line, key=key) for key, line in enumerate(whole, 1))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _version_of(partial: str, final: str) -> bool:
    """True if `partial` is the beginning of `final`, perhaps in other words, as a transcriber first understood it."""
    if final.startswith(partial):
        return True
    beginning = final[: len(partial) + 3]
    return len(partial) > 3 and SequenceMatcher(None, partial, beginning, autojunk=False).ratio() >= _ALIKE


def _spoken(line: Line) -> timedelta:
    """Roughly how long the line took to say."""
    return timedelta(seconds=len(line.text) / 10)
