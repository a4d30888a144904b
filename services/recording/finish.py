"""Encodes raw sound and its log as FLAC with facts, after a normal end and after a crash alike. Blocking."""

import json
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from services.domain.errors import RecordingDamaged
from services.domain.stream_format import DEFAULT_FORMAT, Encoding, StreamFormat
from services.recording.parts import Part
from services.recording.peaks import Peaks, Samples

_BLOCK = 65_536  # samples per channel
_LOUD = 5  # of 255: the peak from which somebody is speaking
_SUBTYPES: dict[Encoding, str] = {"s16le": "PCM_16", "mulaw": "ULAW"}
_BYTE_RATES = {
    8_000: StreamFormat(sample_rate=8_000, channels=1, encoding="mulaw"),
    16_000: StreamFormat(sample_rate=8_000, channels=1),
    32_000: StreamFormat(sample_rate=16_000, channels=1),
    64_000: DEFAULT_FORMAT,
    88_200: StreamFormat(sample_rate=44_100, channels=1),
    96_000: StreamFormat(sample_rate=24_000, channels=2),
    176_400: StreamFormat(sample_rate=44_100, channels=2),
    192_000: StreamFormat(sample_rate=48_000, channels=2),
}
"""The format of a stream by its bytes per second. The player in the browser uses the same table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Sound without a gap: `samples` per channel, starting at sample `raw` of the raw file and at sample `at` of the FLAC."""

    at: int
    raw: int
    samples: int


def finish_part(raw: Path) -> Part | None:
    """Encodes `1.pcm` and `1.jsonl`, which stay, as `1.flac` and verifies it. None if there was no sound.

    Gaps become silence, so that times match the call. Each piece is bit for bit what was sent, mu-law as its 16-bit samples.
    Raises OSError, RecordingDamaged, soundfile.LibsndfileError.
    """
    log = _read_log(raw.with_suffix(".jsonl"))
    form, how = _format(log)
    samples = raw.stat().st_size // form.block_size
    if not samples:
        return None
    pieces = _pieces(log, form, samples)
    total = pieces[-1].at + pieces[-1].samples
    flac = raw.with_suffix(".flac")
    found = _encode(raw, flac, form, pieces, total)
    peaks, per_second = found.levels(), found.per_second

    def seconds(line: dict[str, Any]) -> float:
        """Where in the FLAC the sound of a log line begins."""
        sample: int = min(line["byte"] // form.block_size, samples)
        piece = next(piece for piece in reversed(pieces) if piece.raw <= sample or piece is pieces[0])
        return round(float(piece.at + sample - piece.raw) / form.sample_rate, 3)

    begin = next((line for line in log if line["kind"] == "part"), {"startedAt": raw.stat().st_mtime})
    marks = [_mark(line, seconds(line)) for line in log if line["kind"] in ("gap", "stall", "lost")]
    said = [(seconds(line), str(line["speaker"]), str(line["text"])) for line in log if line["kind"] == "said"]
    facts = {
        "part": int(raw.stem),
        "file": flac.name,
        "startedAt": begin["startedAt"],
        "seconds": round(total / form.sample_rate, 3),
        "sampleRate": form.sample_rate,
        "channels": form.channels,
        "sent": {"encoding": form.encoding, "format": how},
        "pieces": [{"sample": piece.at, "samples": piece.samples} for piece in pieces if piece.samples],
        "marks": marks,
        "end": next((line["why"] for line in log if line["kind"] == "end"), "crash"),
        **({"missingFrom": begin["missingFrom"]} if begin.get("missingFrom") else {}),
    }
    lanes = {"part": int(raw.stem), "peaksPerSecond": per_second, "lanes": peaks.T.tolist()}
    return Part(facts=facts, peaks=lanes, lines=_lines(said, peaks, per_second))


def _read_log(path: Path) -> list[dict[str, Any]]:
    lines = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break  # the last line, cut off by a crash
    return lines


def _format(log: list[dict[str, Any]]) -> tuple[StreamFormat, str]:
    """The sound's format, and whether it was `announced`, `assumed`, or `measured` from the byte rate."""
    start = json.loads(next((line["start"] for line in log if line["kind"] == "part"), "{}"))
    form = StreamFormat.parse(start)
    if form and not start.get("assumed"):
        return form, "announced"
    timed = [{"kind": "part", "elapsed": 0.0, "byte": 0}, *(line for line in log if "elapsed" in line)]
    rates = [
        (line["byte"] - before["byte"]) / (line["elapsed"] - before["elapsed"])
        for before, line in pairwise(timed)
        if line["kind"] == "tick"
    ]
    if rates:
        rate = statistics.median(rates)
        usual = min(_BYTE_RATES, key=lambda usual: abs(rate / usual - 1))
        if abs(rate / usual - 1) < 0.04:
            return _BYTE_RATES[usual], "measured"
    return form or DEFAULT_FORMAT, "assumed"


def _pieces(log: list[dict[str, Any]], form: StreamFormat, samples: int) -> list[Piece]:
    pieces: list[Piece] = []
    at = raw = 0
    for line in log:
        if line["kind"] not in ("gap", "lost"):
            continue
        end = min(line["byte"] // form.block_size, samples)
        pieces.append(Piece(at=at, raw=raw, samples=end - raw))
        at, raw = max(at + end - raw, round(line["elapsed"] * form.sample_rate) if end < samples else 0), end
    return [*pieces, Piece(at=at, raw=raw, samples=samples - raw)]


def _encode(raw: Path, flac: Path, form: StreamFormat, pieces: list[Piece], total: int) -> Peaks:
    """Writes the FLAC atomically. Returns its peaks."""
    peaks = Peaks(sample_rate=form.sample_rate, channels=form.channels, total=total)
    draft = flac.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with soundfile.SoundFile(file, "w", form.sample_rate, form.channels, subtype="PCM_16", format="FLAC", closefd=False) as sink:
            for block in _blocks(raw, form, pieces):
                sink.write(block)
                peaks.add(block)
        os.fsync(file)
    finally:
        os.close(file)
    with soundfile.SoundFile(draft) as kept:
        if kept.frames != total or any(
            not np.array_equal(block, kept.read(len(block), dtype="int16", always_2d=True)) for block in _blocks(raw, form, pieces)
        ):
            raise RecordingDamaged(f"{flac.name} does not read back as it was written.")
    draft.replace(flac)
    return peaks


def _blocks(raw: Path, form: StreamFormat, pieces: list[Piece]) -> Iterator[Samples]:
    """Blocks of samples x channels, with silence in the gaps."""
    with soundfile.SoundFile(raw, "r", form.sample_rate, form.channels, _SUBTYPES[form.encoding], endian="LITTLE", format="RAW") as source:
        at = 0
        for piece in pieces:
            while at < piece.at:
                silence = min(_BLOCK, piece.at - at)
                yield np.zeros((silence, form.channels), np.int16)
                at += silence
            while at < piece.at + piece.samples:
                block: Samples = source.read(min(_BLOCK, piece.at + piece.samples - at), dtype="int16", always_2d=True)
                yield block
                at += len(block)


def _mark(line: dict[str, Any], at: float) -> dict[str, Any]:
    """`at` is where the sound continues. Silence in the FLAC comes before it."""
    return {"kind": line["kind"], "at": at, "seconds": line["seconds"], "time": line["time"]}


def _lines(said: list[tuple[float, str, str]], peaks: NDArray[np.uint8], per_second: float) -> list[dict[str, Any]]:
    """A line arrives after it was spoken. It began where its speaker was first heard after their previous line."""
    lanes = {"customer": 0, "assistant": 1} if peaks.shape[1] == 2 else {}
    before: dict[str, float] = {}
    lines: list[dict[str, Any]] = []
    latest = 0.0
    for until, speaker, text in said:
        since = latest
        if speaker in lanes:
            since = before.get(speaker, 0.0)
            loud = np.flatnonzero(peaks[int(since * per_second) : int(until * per_second), lanes[speaker]] > _LOUD)
            since = since + float(loud[0]) / per_second if len(loud) else until
        before[speaker] = latest = until
        lines.append({"speaker": speaker, "text": text, "at": round(since, 3), "until": until})
    return lines
