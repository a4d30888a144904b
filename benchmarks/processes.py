"""Server processes under measurement: time to the first answer, CPU time and memory."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.process import started


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server under measurement. `started`: seconds from process start to its first 200."""

    url: str
    process: psutil.Process
    started: float

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_megabytes(self) -> float:
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def running(*program: str, ready: str = "/", environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Starts `python PROGRAM` in an empty folder, waits until its `ready` path answers 200, and stops it afterwards."""
    began = time.perf_counter()
    # Never in the project's folder: with a `.env` there, the benchmark would ring real people.
    with TemporaryDirectory() as folder, started(*program, cwd=Path(folder), environ=environ) as process:
        status = process.wait_until_served(ready)
        took = time.perf_counter() - began
        assert status == 200, status
        yield Running(url=process.url, process=psutil.Process(process.popen.pid), started=took)
        process.stop()
