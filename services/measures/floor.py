"""Adds up a conversation as it goes: turns, talk, overlap and silences. What is settled is kept as it is, so memory does not grow with
the sound, only with the turns. Pure: times in seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.measures.turns import REACTION_S, Stretch, Taken, Turn, taken

SILENCE_S = 3.0
"""A shorter time in which nobody speaks is a pause for thought."""
_TAIL = 16  # stretches that may be unsettled before it is looked which are settled

Speech = tuple[list[Stretch], list[Stretch]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What happened until `until`. `talk_s` is by channel."""

    until: float = 0.0
    turns: tuple[Turn, ...] = ()
    backchannels: tuple[Turn, ...] = ()
    talk_s: tuple[float, float] = (0.0, 0.0)
    overlap_s: float = 0.0
    silences: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class Floor:
    """`missing` are the stretches of time in which the sound was lost, in order."""

    missing: list[Stretch] = field(default_factory=list)
    _settled: Conversation = field(default_factory=Conversation)
    _tail: Speech = field(default_factory=lambda: ([], []))

    @classmethod
    def after(cls, before: Conversation, missing: Sequence[Stretch]) -> "Floor":
        """Continues a conversation."""
        return cls(missing=list(missing), _settled=before)

    def add(self, channel: int, stretch: Stretch) -> None:
        """Each channel's stretches in order."""
        self._tail[channel].append(stretch)

    def settle(self, until: float) -> None:
        """No stretch that is still to be added begins before `until`."""
        if sum(map(len, self._tail)) < _TAIL:
            return
        cut = self._cut(until)
        if cut > self._settled.until:
            self._settled = self._with([[one for one in own if one.start < cut] for own in self._tail], cut)
            self._tail = ([one for one in self._tail[0] if one.start >= cut], [one for one in self._tail[1] if one.start >= cut])

    def conversation(self, now: float, talking: tuple[Stretch | None, Stretch | None] = (None, None)) -> Conversation:
        """All until `now`. `talking` are stretches that go on, and may turn out not to be speech."""
        return self._with([[*own, one] if one else own for own, one in zip(self._tail, talking, strict=True)], now)

    def _cut(self, until: float) -> float:
        """The last beginning of a turn at which everything before was over, and from which on nothing changes what was before."""
        found = self._taken((self._tail[0], self._tail[1]))
        for turn in reversed(found.turns):
            others = [one for one in (*found.turns, *found.backchannels) if one is not turn]
            overlapping = any(one.start < turn.start + REACTION_S and one.end > turn.start for one in others)
            if turn.start + REACTION_S < until and not overlapping:
                return turn.start
        return 0.0

    def _taken(self, speech: Speech) -> Taken:
        turns = self._settled.turns
        return taken(speech, turns[-1] if turns else None)

    def _with(self, tail: Sequence[list[Stretch]], until: float) -> Conversation:
        before = self._settled
        found = self._taken((tail[0], tail[1]))
        times = sorted((*tail[0], *tail[1], *self.missing), key=lambda one: one.start)
        return Conversation(
            until=until,
            turns=before.turns + tuple(self._measurable(before.turns[-1:] + tuple(found.turns)))[len(before.turns[-1:]) :],
            backchannels=before.backchannels + tuple(found.backchannels),
            talk_s=(before.talk_s[0] + _seconds(tail[0]), before.talk_s[1] + _seconds(tail[1])),
            overlap_s=before.overlap_s + sum(_overlaps(tail[0], tail[1])),
            silences=before.silences + tuple(_silences(times, before.until, until)),
        )

    def _measurable(self, turns: Sequence[Turn]) -> Iterator[Turn]:
        """No response time is known where sound is missing between two turns."""
        for number, turn in enumerate(turns):
            ended = turns[number - 1].end if number else turn.start
            lost = turn.response_s is not None and any(one.start < turn.start and one.end > ended for one in self.missing)
            yield replace(turn, response_s=None) if lost else turn


def _seconds(stretches: Sequence[Stretch]) -> float:
    return sum(one.end - one.start for one in stretches)


def _overlaps(one: Sequence[Stretch], other: Sequence[Stretch]) -> Iterator[float]:
    for mine in one:
        yield from (max(0.0, min(mine.end, its.end) - max(mine.start, its.start)) for its in other)


def _silences(times: Sequence[Stretch], since: float, until: float) -> Iterator[Stretch]:
    """The long gaps between `times`, in which somebody spoke or sound was missing."""
    for one in (*times, Stretch(until, until)):
        if one.start - since >= SILENCE_S:
            yield Stretch(since, min(one.start, until))
        since = max(since, one.end)
