"""The doctor, against the demo line: what it checks, that it calls only when told twice, and what its report says and hides."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.demo_line import DemoLine
from services.desk.desk import CallDesk
from services.doctor import doctor as module
from services.doctor.doctor import Doctor
from services.domain.errors import HangUpUnconfirmed, VapiUnavailable
from services.vapi.account_checks import assistant_findings, key_finding, number_findings, webhook_address, webhook_findings
from services.vapi.gateway import Gateway
from services.vapi.sdk import Answer
from services.vapi.wire_notes import WireNotes
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.process import MAIN, ROOT, started

NUMBER = "+14155552671"
SAYS = "Zebra"


@dataclass
class Terminal:
    """Answers the doctor's questions in order, and keeps what it says."""

    answers: list[str]
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def ask(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else ""

    @property
    def text(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
async def line() -> AsyncIterator[DemoLine]:
    async with DemoLine(ring_seconds=1.5) as found:
        yield found


async def examine(line: DemoLine, folder: Path, *answers: str, **changes: Any) -> tuple[int, Terminal]:
    """The exit code, and what was said at the terminal."""
    terminal = Terminal(list(answers))
    account = {"assistant_id": line.assistant_id, "phone_number_id": line.phone_number_id} | changes.pop("account", {})
    gateway = Gateway(api_key=changes.pop("api_key", line.api_key), base_url=line.base_url)
    async with aclosing(gateway), desk_in(folder, gateway, **account) as desk:
        doctor = Doctor(
            gateway=gateway,
            desk=desk,
            webhook_secret="",
            accepts_webhooks=False,
            ask=terminal.ask,
            say=terminal.said.append,
            report=folder / "report.md",
            max_call_seconds=changes.pop("max_call_seconds", 600),
        )
        code = await doctor.run()
    return code, terminal


def dials(line: DemoLine) -> int:
    return line.requests.count(("POST", "/call"))


async def test_a_sound_account_is_told_and_nothing_is_called_unasked(line: DemoLine, tmp_path: Path) -> None:
    code, terminal = await examine(line, tmp_path)
    assert (code, dials(line), len(terminal.asked)) == (0, 0, 1)
    assert [text for text in terminal.said if text.startswith("ok")] == [
        "ok      Vapi accepts VAPI_API_KEY.",
        "ok      The assistant exists.",
        "ok      The phone number exists.",
    ]
    assert "PROBLEM" not in terminal.text
    assert not (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"api_key": "wrong"}, "VAPI_API_KEY"),
        ({"account": {"assistant_id": "6d1f0000-0000-4000-8000-00000000000f"}}, "VAPI_ASSISTANT_ID"),
        ({"account": {"phone_number_id": "6d1f0000-0000-4000-8000-00000000000f"}}, "VAPI_PHONE_NUMBER_ID"),
    ],
)
async def test_what_is_wrong_is_named_and_no_call_is_offered(
    line: DemoLine, tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    code, terminal = await examine(line, tmp_path, NUMBER, "CALL", **changes)
    assert (code, dials(line), terminal.asked) == (1, 0, [])
    problems = [text for text in terminal.said if text.startswith("PROBLEM")]
    assert len(problems) == 1
    assert expected in problems[0]


@pytest.mark.parametrize("answers", [("",), (NUMBER,), (NUMBER, ""), (NUMBER, "call"), (NUMBER, "yes"), ("CALL", NUMBER)])
async def test_a_call_needs_a_number_and_its_confirmation(line: DemoLine, tmp_path: Path, answers: tuple[str, ...]) -> None:
    _, terminal = await examine(line, tmp_path, *answers)
    assert dials(line) == 0
    if len(answers) > 1 and answers[0] == NUMBER:
        assert NUMBER in terminal.asked[1]


async def test_the_rules_for_dialling_hold_for_the_doctor_too(line: DemoLine, tmp_path: Path) -> None:
    code, terminal = await examine(line, tmp_path, NUMBER, "CALL", account={"allowed_regions": frozenset({"DE"})})
    assert (code, dials(line)) == (1, 0)
    assert "PROBLEM" in terminal.text


@pytest.mark.slow
async def test_a_call_is_reported_without_a_number_a_name_or_a_word(
    line: DemoLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CALL_S", 10)
    code, terminal = await examine(line, tmp_path, NUMBER, "CALL")
    assert (code, dials(line)) == (0, 1)
    report = (tmp_path / "report.md").read_text()
    assert report in terminal.text
    for found in (
        r"^- \d+\.\d queued$",
        r"^- \d+\.\d ringing$",
        r"^- \d+\.\d in-progress$",
        r"^- \d+\.\d ended$",
        r'^- start frame: .*"sampleRate": 16000',
        r"^- sizes in bytes: 1280 \(\d+ times\)",
        r"^- from frame to frame: median \d+ ms",
        r"^- \d+ bytes per second$",
        r"^- the first to speak is the customer .* channel heard is 0: as Earshot expects",
        r"^- transcript: \d+ times, .*role: string",
        r"^- speech-update: \d+ times",
        r"^- ended reason: exceeded-max-duration$",
        r"^- held back because all lines were in use: no$",
        r"^- recording after \d+ s: \d+ bytes, begins with b'RIFF', 2 channels at 16000 Hz$",
        r"^- transcript: \d+ lines, by assistant, customer$",
        r"^- monitor\.listenUrl: ws://another host$",
    ):
        assert re.search(found, report, re.MULTILINE), (found, report)
    for secret in (NUMBER, NUMBER[2:], "Hello", "Riley", line.api_key, line.assistant_id, line.phone_number_id, "127.0.0.1", "sip:"):
        assert secret not in report
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", report)


@pytest.mark.slow
async def test_what_cannot_be_read_afterwards_is_reported(line: DemoLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise VapiUnavailable("Away.")

    monkeypatch.setattr(module, "_CALL_S", 2)
    monkeypatch.setattr(Gateway, "transcript", away)
    monkeypatch.setattr(Doctor, "_recorded", away)
    code, _ = await examine(line, tmp_path, NUMBER, "CALL")
    assert code == 0
    report = (tmp_path / "report.md").read_text()
    assert "- the recording could not be read: vapi_unavailable" in report
    assert "- the transcript could not be read: vapi_unavailable" in report
    assert "- ended reason: " in report


@pytest.mark.slow
async def test_a_hang_up_that_fails_is_a_problem(line: DemoLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> None:
        raise VapiUnavailable("Away.")

    async def unconfirmed(*_: object) -> None:
        raise HangUpUnconfirmed("Vapi has not confirmed it.")

    monkeypatch.setattr(Doctor, "_until_end", interrupted)
    monkeypatch.setattr(CallDesk, "end", unconfirmed)
    code, terminal = await examine(line, tmp_path, NUMBER, "CALL")
    assert code == 1
    assert "PROBLEM The call may still be running: hang up the phone. Vapi has not confirmed it." in terminal.said


@pytest.mark.slow
async def test_who_interrupts_the_doctor_hangs_up(line: DemoLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Doctor, "_until_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        await examine(line, tmp_path, NUMBER, "CALL")
    (call,) = line._calls.values()
    assert call.body["status"] == "ended"


@pytest.mark.slow
async def test_the_call_is_hung_up_also_if_listening_failed(line: DemoLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(SAYS)

    async def at_once(*_: object) -> None:
        pass

    monkeypatch.setattr(module, "note_sound", broken)
    monkeypatch.setattr(Doctor, "_until_end", at_once)
    code, _ = await examine(line, tmp_path, NUMBER, "CALL")
    (call,) = line._calls.values()
    assert (code, call.body["status"]) == (0, "ended")
    report = (tmp_path / "report.md").read_text()
    assert "listening broke off: RuntimeError" in report
    assert SAYS not in report


HOSTILE = {
    "id": SAYS,
    "status": f"{SAYS} {NUMBER}",
    NUMBER: 1,
    "a b": 2,
    "6d1f0000-0000-4000-8000-00000000000f": 3,
    "monitor": {
        SAYS: f"wss://{SAYS}.example/x",
        "listenUrl": f"wss://phone-call-websocket.aws-us-west-2-backend-production3.vapi.ai/{SAYS}",
    },
    "artifact": {"transcript": SAYS, NUMBER: SAYS, "listenUrl": "https://["},
    "analysis": [SAYS],
}


def test_no_word_of_a_body_or_a_frame_reaches_the_report() -> None:
    notes = WireNotes()
    frames: list[Any] = [
        HOSTILE,
        [SAYS],
        SAYS,
        {"message": {"type": SAYS, "role": SAYS}},
        {"type": "start", "sampleRate": int(NUMBER), "channels": 1e400, "customer": SAYS, "callerNumber": int(NUMBER)},
        {"monitor": {"listenUrl": "https://[", "controlUrl": f"{SAYS}://x.vapi.ai", "a": "//a]b", "b": f"wss://{SAYS}@x.vapi.ai"}},
        {"type": "start", "encoding": f"{SAYS} {NUMBER}", "callId": "6d1f0000-0000-4000-8000-00000000000f"},
        {"type": "transcript", "role": "user", "transcript": SAYS, "customer": {"number": NUMBER}},
    ]
    for frame in frames:
        notes.body(0.0, frame)
        notes.frame(0.0, json.dumps(frame))
    notes.frame(0.0, SAYS)
    notes.ended(f"{SAYS}, called by {NUMBER}")
    report = notes.report()
    assert SAYS not in report.replace(f"monitor.{SAYS}", "")
    assert NUMBER[1:] not in report
    assert "00000000000f" not in report
    assert "wss://phone-call-websocket.aws-us-west-#-backend-production#.vapi.ai" in report


@pytest.mark.parametrize("frame", [b"", b"\x01", b"\x00\x10" * 3, b"\xff" * 1281])
def test_odd_sound_is_counted(frame: bytes) -> None:
    notes = WireNotes()
    notes.frame(0.0, frame)
    assert f"- 1 frames, {len(frame)} bytes" in notes.report()


def levels(findings: Any) -> list[str]:
    return [finding.level for finding in findings]


@pytest.mark.parametrize("body", [None, [], {"monitorPlan": 3, "artifactPlan": [], "server": "x", "serverMessages": 1, "number": 3}])
def test_odd_answers_are_survived(body: Any) -> None:
    answer = Answer(status=200, body=body)
    assert key_finding(answer).level == "ok"
    assistant_findings(answer)
    number_findings(answer)
    webhook_findings(answer, accepted=True)
    assert webhook_address(answer) is None


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"listenEnabled": False}, ["ok", "problem"]),
        ({"controlEnabled": False}, ["ok", "problem"]),
        ({"listenAuthenticationEnabled": True}, ["ok", "note"]),
        ({}, ["ok"]),
    ],
)
def test_a_monitor_plan_that_stands_in_the_way_is_told(plan: dict[str, Any], expected: list[str]) -> None:
    assert levels(assistant_findings(Answer(status=200, body={"id": "a", "monitorPlan": plan}))) == expected


@pytest.mark.parametrize(
    ("url", "accepted", "messages", "expected"),
    [
        (None, False, None, ["note"]),
        ("https://crm.example/hook", False, None, ["note"]),
        ("https://crm.example/api/vapi_events", False, None, ["problem"]),
        ("https://crm.example/api/vapi_events", True, None, ["note"]),
        ("https://crm.example/api/vapi_events", True, ["status-update", "end-of-call-report", "transcript"], []),
        ("http://crm.example/api/vapi_events", True, None, ["note"]),
        ("https://[/api/vapi_events", True, None, ["note"]),
        ("https://a..example/api/vapi_events", True, None, ["note"]),
    ],
)
def test_webhooks_that_lead_nowhere_are_told(url: str | None, accepted: bool, messages: list[str] | None, expected: list[str]) -> None:
    body = {"server": {"url": url}, **({"serverMessages": messages} if messages else {})}
    assert levels(webhook_findings(Answer(status=200, body=body), accepted=accepted)) == expected


@pytest.fixture
def doctor_process(tmp_path: Path) -> Callable[..., Any]:
    def run(typed: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, MAIN, "--doctor"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environ},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.mark.process
def test_one_command_is_enough(doctor_process: Any) -> None:
    done = doctor_process("")
    assert done.returncode == 0, done.stderr
    assert "ok      Vapi accepts VAPI_API_KEY." in done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A process that is started can be interrupted, though the tests themselves may run in the background, where shells ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.process
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_at_a_question_ends_the_doctor(tmp_path: Path) -> None:
    with started(MAIN, "--doctor", cwd=tmp_path, stdin=subprocess.PIPE) as process:
        give_up = time.monotonic() + HANG_S
        while "Number to call" not in process.written():
            assert time.monotonic() < give_up
            time.sleep(0.05)
        process.popen.send_signal(signal.SIGINT)
        assert process.ended(HANG_S) == 130
    assert "Traceback" not in process.output


@pytest.mark.process
def test_missing_credentials_are_named(doctor_process: Any) -> None:
    done = doctor_process("", VAPI_API_KEY="private")
    assert done.returncode == 1
    assert "VAPI_ASSISTANT_ID and VAPI_PHONE_NUMBER_ID are missing" in done.stdout
