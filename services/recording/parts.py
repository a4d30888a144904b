"""A recording's parts, and the three documents that describe all of them: `recording`, `transcript` and `peaks`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from services.support.rfc3339 import rfc3339

CONSENT = "Recording a call may need the consent of everyone on it, in some places by law. Ask before you record."

Documents = Mapping[str, dict[str, Any]]
"""By name, as they are written into JSON files; times are in seconds from the recording's beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished part: `facts` for recording.json, `peaks` (lanes of 0..255), `lines` said in it; times in seconds from its start."""

    facts: dict[str, Any]
    peaks: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def number(self) -> int:
        return int(self.facts["part"])

    @property
    def began_ms(self) -> int:
        """When its sound began, since 1970. No two parts of a recording began at the same time."""
        began_s: float = self.facts["startedAt"]
        return round(1000 * began_s)

    def numbered(self, number: int) -> "Part":
        facts = self.facts | {"part": number, "file": f"{number}.flac"}
        return replace(self, facts=facts, peaks=self.peaks | {"part": number})


def joined(call_id: str, parts: Sequence[Part]) -> dict[str, dict[str, Any]]:
    """The documents of a recording of these parts, at least one.

    Where a part took over from a process that had stopped, what nobody has recorded is marked as `takeover`.
    """
    parts = sorted(parts, key=lambda part: part.began_ms)
    infos = [dict(part.facts) for part in parts]
    origin = min(infos[0]["startedAt"], infos[0].get("missingFrom", infos[0]["startedAt"]))
    end = 0.0
    for info in infos:
        info["at"] = round(max(end, info["startedAt"] - origin), 3)
        info["marks"] = [*_takeover(info, origin, end), *info["marks"]]
        end = info["at"] + info["seconds"]
    common = {"callId": call_id, "startedAt": rfc3339(datetime.fromtimestamp(origin, UTC)), "seconds": round(end, 3)}
    marks = [mark | {"at": round(info["at"] + mark["at"], 3)} for info in infos for mark in info["marks"]]
    lines = [
        {**line, "at": round(info["at"] + line["at"], 3), "until": round(info["at"] + line["until"], 3), "part": part.number}
        for part, info in zip(parts, infos, strict=True)
        for line in part.lines
    ]
    lanes = [part.peaks | {"at": info["at"], "seconds": info["seconds"]} for part, info in zip(parts, infos, strict=True)]
    return {
        "transcript": {**common, "lines": sorted(lines, key=lambda line: float(line["until"]))},
        "peaks": {**common, "marks": marks, "parts": lanes},
        "recording": {**common, "consent": CONSENT, "parts": infos},
    }


def separated(documents: Documents) -> list[Part]:
    """The parts of which `joined` made the documents."""
    lanes = {lane["part"]: lane for lane in documents["peaks"]["parts"]}
    return [
        Part(
            facts=_without(info, "at") | {"marks": [mark for mark in info["marks"] if mark["kind"] != "takeover"]},
            peaks=_without(lanes[info["part"]], "at", "seconds"),
            lines=[
                _without(line, "part") | {"at": round(line["at"] - info["at"], 3), "until": round(line["until"] - info["at"], 3)}
                for line in documents["transcript"]["lines"]
                if line["part"] == info["part"]
            ],
        )
        for info in documents["recording"]["parts"]
    ]


def _takeover(info: Mapping[str, Any], origin: float, end: float) -> list[dict[str, Any]]:
    """The mark at the beginning of a part before which sound is missing: since `end`, or since the stopped process began to record."""
    if "missingFrom" not in info:
        return []
    since = max(end, info["missingFrom"] - origin)
    missing = round(info["at"] - since, 3)
    return [{"kind": "takeover", "at": 0.0, "seconds": missing, "time": round(origin + since, 3)}] if missing > 0 else []


def _without(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}
