"""Processes under measurement: started on a free port, waited for, their CPU time and memory read, ended."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server under measurement. `started` is in seconds from the start of the process to its first 200."""

    url: str
    process: psutil.Process
    started: float

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_megabytes(self) -> float:
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def running(*command: str, ready: str = "/", environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Runs `python COMMAND` with PORT set to a free port, until its `ready` path answers 200, and ends it afterwards."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VAPI_", "EARSHOT_", "NICEGUI_"))}
    began = time.perf_counter()
    # A file, not a pipe: a pipe that nobody reads fills up and stops the process.
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed below, with the process
    command = (sys.executable, *command)
    child = subprocess.Popen(command, cwd=ROOT, env=clean | {"PORT": str(port), **(environ or {})}, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url + ready):
            if child.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"{command} ended at once: {log.read().decode()}")
            time.sleep(0.005)
        yield Running(url=url, process=psutil.Process(child.pid), started=time.perf_counter() - began)
    finally:
        child.terminate()
        child.wait(10)
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return False
