import json

import pytest

from services.domain.stream_format import DEFAULT_FORMAT, StreamFormat


@pytest.mark.parametrize(
    ("start", "block_size", "bytes_per_second"),
    [
        ({"encoding": "linear16", "sampleRate": 16000, "channels": 2}, 4, 64_000),
        ({"encoding": "pcm_s16le", "sample_rate": 48000.0, "channels": "2"}, 4, 192_000),
        ({"encoding": "MULAW", "sampleRate": 8000, "channels": 1}, 1, 8_000),
        ({"encoding": "mu-law", "sampleRate": "8000", "channels": 2}, 2, 16_000),
        ({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}, 1, 8_000),
        ({"encoding": "audio/PCMU;rate=8000", "sampleRate": 8000, "channels": 1}, 1, 8_000),
        ({"encoding": "G711_ULAW", "sampleRate": 8000, "channels": 1}, 1, 8_000),
        ({"encoding": "µ-law", "sampleRate": 8000, "channels": 1}, 1, 8_000),
        ({"sampleRate": 24000, "channels": 1}, 2, 48_000),
    ],
)
def test_a_start_frame_is_understood(start: dict[str, object], block_size: int, bytes_per_second: int) -> None:
    form = StreamFormat.parse(start)
    assert form is not None
    assert (form.block_size, form.bytes_per_second) == (block_size, bytes_per_second)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampleRate": 0},
        {"sampleRate": -16000},
        {"sampleRate": 10**9},
        {"sampleRate": 16000.5},
        {"sampleRate": float("nan")},
        {"sampleRate": None},
        {"sampleRate": True},
        {"sampleRate": "١٦٠٠٠"},
        {"sampleRate": "9" * 5000},
        {"channels": 0},
        {"channels": 9},
        {"channels": [2]},
        {"encoding": "opus"},
        {"encoding": {}},
        {"encoding": None},
    ],
)
def test_a_start_frame_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    assert StreamFormat.parse({"encoding": "linear16", "sampleRate": 16000, "channels": 2} | wrong) is None


def test_what_is_announced_is_understood_again() -> None:
    for form in (DEFAULT_FORMAT, StreamFormat(sample_rate=8000, channels=1, encoding="mulaw")):
        assert StreamFormat.parse(json.loads(form.start_frame())) == form


def test_an_assumed_format_says_so() -> None:
    assert json.loads(DEFAULT_FORMAT.start_frame(assumed=True)) == {
        "type": "start",
        "encoding": "linear16",
        "container": "raw",
        "sampleRate": 16000,
        "channels": 2,
        "assumed": True,
    }
    assert "assumed" not in DEFAULT_FORMAT.start_frame()
