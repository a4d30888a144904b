"""What is made of a recording's parts: one time line, also across a process that stopped."""

from typing import Any

from services.recording.parts import Part, joined, separated

EPOCH = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def part(number: int, began: float, seconds: float, *, marks: list[dict[str, Any]] | None = None, **facts: float) -> Part:
    return Part(
        facts={"part": number, "file": f"{number}.flac", "startedAt": EPOCH + began, "seconds": seconds, "marks": marks or [], **facts},
        peaks={"part": number, "peaksPerSecond": 20, "lanes": [[number] * 20]},
        lines=[{"speaker": "customer", "text": f"Part {number}", "at": 0.5, "until": 1.0}],
    )


def marks(*parts: Part) -> list[tuple[str, float, float]]:
    return [(mark["kind"], mark["at"], mark["seconds"]) for mark in joined("c1", parts)["peaks"]["marks"]]


def test_parts_lie_where_they_were_in_the_call() -> None:
    documents = joined("c1", [part(2, 10, 5), part(1, 0, 3, marks=[{"kind": "gap", "at": 2.0, "seconds": 0.5, "time": EPOCH + 1.5}])])
    assert [(info["part"], info["at"]) for info in documents["recording"]["parts"]] == [(1, 0.0), (2, 10.0)]
    assert [(lane["at"], lane["seconds"]) for lane in documents["peaks"]["parts"]] == [(0.0, 3), (10.0, 5)]
    assert [(line["text"], line["at"], line["part"]) for line in documents["transcript"]["lines"]] == [
        ("Part 1", 0.5, 1),
        ("Part 2", 10.5, 2),
    ]
    assert {document["seconds"] for document in documents.values()} == {15.0}
    assert {document["startedAt"] for document in documents.values()} == {"2027-01-15T08:00:00.000Z"}
    assert [mark["kind"] for mark in documents["peaks"]["marks"]] == ["gap"], "whoever stops and starts again misses nothing"


def test_what_nobody_recorded_after_a_process_stopped_is_marked() -> None:
    assert marks(part(1, 0, 3), part(2, 12.5, 5, missingFrom=EPOCH)) == [("takeover", 12.5, 9.5)]


def test_what_nobody_was_to_record_is_not_missing() -> None:
    assert marks(part(1, 0, 3), part(2, 15, 5, missingFrom=EPOCH + 10)) == [("takeover", 15.0, 5.0)], (
        "stopped at 3 s, started again at 10 s"
    )


def test_if_the_first_process_left_nothing_all_of_it_is_missing() -> None:
    documents = joined("c1", [part(1, 9.4, 5, missingFrom=EPOCH)])
    assert [(mark["kind"], mark["at"], mark["seconds"], mark["time"]) for mark in documents["peaks"]["marks"]] == [
        ("takeover", 9.4, 9.4, EPOCH)
    ]
    assert documents["recording"]["parts"][0]["at"] == 9.4
    assert documents["recording"]["startedAt"] == "2027-01-15T08:00:00.000Z"


def test_where_two_processes_overlapped_nothing_is_missing() -> None:
    assert marks(part(1, 0, 10), part(2, 9.9, 5, missingFrom=EPOCH)) == []


def test_parts_can_be_taken_apart_and_joined_again() -> None:
    parts = [
        part(1, 0, 3),
        part(2, 12.5, 5, missingFrom=EPOCH),
        part(3, 20, 1, marks=[{"kind": "stall", "at": 0.5, "seconds": 1.0, "time": 1}]),
    ]
    documents = joined("c1", parts)
    assert separated(documents) == parts
    assert joined("c1", separated(documents)[1:])["peaks"]["marks"][0] == {
        "kind": "takeover",
        "at": 12.5,
        "seconds": 12.5,
        "time": EPOCH,
    }, "what the first part had is missing now"
    assert [(p.facts["file"], p.peaks["part"]) for p in (parts[2].numbered(2),)] == [("2.flac", 2)]
