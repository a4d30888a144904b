"""A sound server of the tests' own, with one device that plays into nothing: what browsers play can be recorded there, and it can fail."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree, which

import numpy as np

from tests.browser.everywhere.starting import ready
from tests.browser.plain_page.hearing import Sound
from tests.patience import HANG_S

RATE = 16_000  # of recordings
_SINK = "ears"
_LOOK_S = 0.02
_FRAME_BYTES = 4  # two channels of 16 bit


class SoundServer:
    """PulseAudio, known to nobody but those who get `environ`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ears-"))
        self.environ = {
            "PULSE_SERVER": f"unix:{self._folder}/socket",
            "PULSE_RUNTIME_PATH": str(self._folder),
            "PULSE_STATE_PATH": str(self._folder),
        }
        self.deaths = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @staticmethod
    def missing() -> str:
        """What this machine lacks to run one; "": nothing."""
        there = {"pulseaudio": which("pulseaudio"), "pulseaudio-utils": which("parec") and which("pactl")}
        return " ".join(package for package, found in there.items() if not found)

    def start(self) -> None:
        modules = (
            f"module-native-protocol-unix socket={self._folder}/socket auth-anonymous=1",
            f"module-null-sink sink_name={_SINK} rate=48000 channels=2",
        )
        loaded = [argument for module in modules for argument in ("-L", module)]
        options = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disallow-exit", "--log-target=stderr")
        self._process = subprocess.Popen(["pulseaudio", *options, *loaded], env=self._env(), stderr=subprocess.DEVNULL)
        ready(self._process, lambda: self._control("info") == 0)

    def kill(self) -> None:
        """As when the sound card is unplugged. `start` brings it back."""
        self.deaths += 1
        if self._process:
            self._process.kill()
            self._process.wait(HANG_S)
        self._process = None
        with suppress(FileNotFoundError):
            (self._folder / "socket").unlink()

    def revive(self) -> None:
        """Starts it again if it is dead."""
        if self._process is None:
            self.start()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The device's clock stands still for as long as the block runs."""
        assert self._control("suspend-sink", _SINK, "1") == 0
        try:
            yield
        finally:
            assert self._control("suspend-sink", _SINK, "0") == 0

    def record(self) -> "Recording":
        return Recording(self._env())

    def close(self) -> None:
        self.kill()
        rmtree(self._folder, ignore_errors=True)

    def _control(self, *arguments: str) -> int:
        return subprocess.run(["pactl", *arguments], env=self._env(), capture_output=True, check=False, timeout=HANG_S).returncode

    def _env(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self._folder), "LANG": "C.UTF-8", **self.environ}


class Recording:
    """What comes out of the device from now on, until `stop` or until the sound server dies."""

    def __init__(self, env: dict[str, str]) -> None:
        form = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=2", "--latency-msec=20", f"--device={_SINK}.monitor")
        self._process = subprocess.Popen(["parec", *form], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._bytes = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout
        while data := self._process.stdout.read1(65536):  # type: ignore[attr-defined]
            self._bytes += data

    def stop(self, at_least: float = 0.0) -> Sound:
        """All that was heard, once it is `at_least` so many seconds, silence included: samples x (left, right), -1..1."""
        give_up = time.monotonic() + at_least + HANG_S
        while len(self._bytes) < at_least * RATE * _FRAME_BYTES:
            assert time.monotonic() < give_up, "the device records nothing"
            time.sleep(_LOOK_S)
        self._process.terminate()
        self._process.wait(HANG_S)
        self._thread.join(HANG_S)
        assert self._process.stdout
        self._process.stdout.close()
        whole = bytes(self._bytes[: len(self._bytes) // _FRAME_BYTES * _FRAME_BYTES])
        return np.frombuffer(whole, "<i2").reshape(-1, 2) / 32768
