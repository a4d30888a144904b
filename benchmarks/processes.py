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
        """Of the process and those that it started."""
        all_times = [process.cpu_times() for process in (self.process, *self.process.children(recursive=True))]
        return float(sum(times.user + times.system for times in all_times))

    def rss_megabytes(self) -> float:
        """Of the process, and what those that it started share with nobody."""
        children = self.process.children(recursive=True)
        return float(self.process.memory_info().rss + sum(child.memory_full_info().uss for child in children)) / 1e6


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
