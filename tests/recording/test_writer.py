"""From what a relay gives, with its times, to FLAC on disk: bit for bit, in time with the call, whatever happens to the stream."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from services.domain.errors import RecordedElsewhere
from services.domain.stream_format import DEFAULT_FORMAT, StreamFormat
from services.recording.folder import RecordingFolder
from services.recording.writer import RecordingWriter

FRAME = 0.02
EPOCH = 1_800_000_000.0  # 2027-01-15T08:00:00Z
LOST = '{"type":"stream","state":"interrupted"}'
BACK = '{"type":"stream","state":"connected"}'


class Take:
    """A call that is recorded into `folder`. The test decides what comes when."""

    def __init__(self, folder: Path, form: StreamFormat = DEFAULT_FORMAT, *, assumed: bool = False) -> None:
        self.form = form
        self.now = 100.0
        self.sent: list[bytes] = []
        self.recordings = RecordingFolder(folder)
        self.writer = RecordingWriter(folder / "c1", call_id="c1", epoch=EPOCH - 100)
        self._random = np.random.default_rng(1)
        self.tell(form.start_frame(assumed=assumed))

    def tell(self, text: str) -> None:
        self.writer.write([(self.now, text)])

    def say(self, speaker: str, text: str) -> None:
        self.tell(json.dumps({"type": "transcript", "transcriptType": "final", "role": speaker, "speaker": speaker, "transcript": text}))

    def play(self, seconds: float) -> None:
        """Noise, frame by frame, each at its time."""
        for _ in range(round(seconds / FRAME)):
            sound = self._random.bytes(round(self.form.sample_rate * FRAME) * self.form.block_size)
            self.sent.append(sound)
            self.writer.write([(self.now, sound)])
            self.now += FRAME

    def drop(self, seconds: float) -> None:
        self.tell(LOST)
        self.now += seconds
        self.tell(BACK)
        self.tell(self.form.start_frame())

    def finish(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """recording.json and transcript.json."""
        self.writer.close("call ended", self.now)
        assert self.recordings.finish("c1")
        return json.loads(self.recordings.text("c1", "recording")), json.loads(self.recordings.text("c1", "transcript"))

    def samples(self, part: int = 1) -> NDArray[np.int16]:
        samples: NDArray[np.int16] = soundfile.read(self.recordings.path / "c1" / f"{part}.flac", dtype="int16", always_2d=True)[0]
        return samples


def as_samples(sound: bytes, form: StreamFormat = DEFAULT_FORMAT) -> NDArray[np.int16]:
    return np.frombuffer(sound, "<i2").reshape(-1, form.channels)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        DEFAULT_FORMAT,
        StreamFormat(sample_rate=8_000, channels=1),
        StreamFormat(sample_rate=48_000, channels=2),
        StreamFormat(sample_rate=96_000, channels=8),
    ],
)
def test_what_was_sent_is_kept_bit_for_bit(tmp_path: Path, form: StreamFormat) -> None:
    take = Take(tmp_path, form)
    take.play(5)
    info, _ = take.finish()
    assert np.array_equal(take.samples(), as_samples(b"".join(take.sent), form))
    assert info["parts"][0]["sampleRate"] == form.sample_rate
    assert (info["seconds"], info["parts"][0]["marks"], info["startedAt"]) == (5.0, [], "2027-01-15T08:00:00.000Z")


def test_mulaw_is_kept_as_the_samples_that_it_stands_for(tmp_path: Path) -> None:
    take = Take(tmp_path, StreamFormat(sample_rate=8_000, channels=1, encoding="mulaw"))
    take.writer.write([(take.now, bytes(range(256)))])
    take.finish()

    def g711(byte: int) -> int:
        bits = ~byte & 0xFF
        size = (((bits & 0x0F) << 3) + 0x84 << (bits >> 4 & 7)) - 0x84
        return -size if bits & 0x80 else size

    assert take.samples()[:, 0].tolist() == [g711(byte) for byte in range(256)]


def test_after_a_drop_the_sound_goes_on_where_the_call_is_by_then(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(2)
    take.drop(1.5)
    take.play(1)
    info, _ = take.finish()
    part, kept, sent = info["parts"][0], take.samples(), as_samples(b"".join(take.sent))
    assert info["seconds"] == 4.5
    assert part["pieces"] == [{"sample": 0, "samples": 32_000}, {"sample": 56_000, "samples": 16_000}]
    assert np.array_equal(np.concatenate([kept[piece["sample"] :][: piece["samples"]] for piece in part["pieces"]]), sent)
    assert not kept[32_000:56_000].any()
    assert part["marks"] == [{"kind": "gap", "at": 3.5, "seconds": 1.52, "time": EPOCH + 1.98}]


def test_a_stall_that_catches_up_is_marked_and_takes_no_time(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(1)
    take.now += 2
    for _ in range(100):
        take.play(FRAME)
        take.now -= FRAME
    take.play(1)
    info, _ = take.finish()
    assert info["seconds"] == 4.0
    assert np.array_equal(take.samples(), as_samples(b"".join(take.sent)))
    assert info["parts"][0]["marks"] == [{"kind": "stall", "at": 1.0, "seconds": 2.02, "time": EPOCH + 0.98}]


def test_another_format_begins_another_part(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(1)
    first, take.sent = take.sent, []
    take.form = StreamFormat(sample_rate=8_000, channels=1)
    take.drop(2)
    take.play(1)
    info, _ = take.finish()
    assert [(part["at"], part["sampleRate"], part["end"]) for part in info["parts"]] == [
        (0.0, 16_000, "format changed"),
        (3.0, 8_000, "call ended"),
    ]
    assert np.array_equal(take.samples(1), as_samples(b"".join(first)))
    assert np.array_equal(take.samples(2), as_samples(b"".join(take.sent), take.form))


@pytest.mark.slow
def test_a_format_that_nobody_announced_is_found_by_how_fast_it_comes(tmp_path: Path) -> None:
    take = Take(tmp_path, assumed=True)
    take.form = StreamFormat(sample_rate=48_000, channels=2)
    take.play(12)
    info, _ = take.finish()
    assert (info["seconds"], info["parts"][0]["sampleRate"], info["parts"][0]["sent"]["format"]) == (12.0, 48_000, "measured")


def test_a_line_begins_where_its_speaker_is_first_heard(tmp_path: Path) -> None:
    take = Take(tmp_path)

    def speak(ear: int, seconds: float) -> None:
        for _ in range(round(seconds / FRAME)):
            sound = np.zeros((320, 2), "<i2")
            sound[:, ear] = 5_000
            take.writer.write([(take.now, sound.tobytes())])
            take.now += FRAME

    speak(1, 2)
    take.say("assistant", "Hello <b>there</b>")
    speak(0, 1)
    take.say("customer", "Hi")
    speak(1, 1)
    take.say("assistant", "Bye")
    speak(0, 1)
    _, transcript = take.finish()
    assert [(line["speaker"], line["text"], line["at"], line["until"]) for line in transcript["lines"]] == [
        ("assistant", "Hello <b>there</b>", 0.0, 2.0),
        ("customer", "Hi", 2.0, 3.0),
        ("assistant", "Bye", 3.0, 4.0),
    ]


def test_peaks_are_those_of_both_speakers(tmp_path: Path) -> None:
    take = Take(tmp_path)
    left = np.zeros((16_000, 2), "<i2")
    left[8_000:, 0] = -32_768
    left[:8_000, 1] = 16_384
    take.writer.write([(take.now, left.tobytes())])
    take.finish()
    lanes = json.loads(take.recordings.text("c1", "peaks"))["parts"][0]["lanes"]
    assert lanes == [[0] * 10 + [255] * 10, [128] * 10 + [0] * 10]


def test_sound_that_was_lost_to_a_slow_disk_is_marked_and_silent(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(1)
    take.writer.write([(take.now, None)])
    take.now += 1
    take.play(1)
    info, _ = take.finish()
    assert info["seconds"] == 3.0
    assert [(mark["kind"], mark["at"]) for mark in info["parts"][0]["marks"]] == [("lost", 2.0)]


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 63_997, 64_000])
def test_whatever_a_crash_leaves_is_finished(tmp_path: Path, cut: int) -> None:
    take = Take(tmp_path)
    take.play(1)
    take.say("customer", "Hi")
    folder = tmp_path / "c1"
    with (folder / "1.pcm").open("r+b") as raw:
        raw.truncate(64_000 - cut)
    log = (folder / "1.jsonl").read_bytes()
    (folder / "1.jsonl").write_bytes(log + b'{"kind":"gap","by')
    (folder / "1.draft").write_bytes(b"half a FLAC")
    del take.writer  # and with it the lock, as when a process is gone
    kept = RecordingFolder(tmp_path)
    whole = (64_000 - cut) // 4 * 4
    assert kept.finish("c1") == (whole > 0)
    if not whole:
        assert not folder.exists()
        return
    info = json.loads(kept.text("c1", "recording"))
    assert info["parts"][0]["end"] == "crash"
    assert np.array_equal(take.samples(), as_samples(b"".join(take.sent)[:whole]))
    assert sorted(file.name for file in folder.iterdir() if file.name != ".lock") == [
        "1.flac",
        "peaks.json",
        "recording.json",
        "transcript.json",
    ]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_two_processes_never_write_or_finish_the_same_recording(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(1)
    other = RecordingWriter(tmp_path / "c1", call_id="c1", epoch=EPOCH)
    with pytest.raises(RecordedElsewhere):
        other.write([(0.0, DEFAULT_FORMAT.start_frame()), (0.0, bytes(4))])
    assert not RecordingFolder(tmp_path).finish("c1")
    take.play(1)
    info, _ = take.finish()
    assert info["seconds"] == 2.0


def test_a_crash_after_the_flac_was_made_has_it_made_once_more(tmp_path: Path) -> None:
    take = Take(tmp_path)
    take.play(1)
    take.say("customer", "Hi")
    raw = {name: (tmp_path / "c1" / name).read_bytes() for name in ("1.pcm", "1.jsonl")}
    take.writer.close("call ended", take.now)
    kept = RecordingFolder(tmp_path)
    assert kept.finish("c1")
    made = {file.name: file.read_bytes() for file in (tmp_path / "c1").glob("*.*")}
    for name, content in raw.items():
        (tmp_path / "c1" / name).write_bytes(content)
    assert kept.finish("c1")
    again = {file.name: file.read_bytes() for file in (tmp_path / "c1").glob("*.*")}
    assert again == made | {"recording.json": made["recording.json"].replace(b"call ended", b"crash")}
