"""`pytest -p tests.shares`: one process collects the tests, then forks lanes, which share them out between them.

With pytest-xdist each worker imports the app and collects all tests, and so does the process that starts them. A lane is a fork of the
process that has both: that must have started no thread yet, since a fork copies none. Which tests stay together, and which come first,
`tests/kinds.py` decides. Those that judge sound in real time have lanes of their own, which go before everything else where the system
allows it, and otherwise run when all others are done.
"""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from tests import kinds, priority

Unit = Sequence[pytest.Item]
"""Tests that one lane runs one after another."""

_ENDS_WITHIN_S = 20  # browsers and databases of a lane that is asked to end
_fork = multiprocessing.get_context("fork")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lanes", type=int, help="how many processes run tests: by default two or three for each core, since tests also wait")
    parser.addoption("--sound-lanes", type=int, default=2, help="how many of those that judge sound run at once")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> object:
    if session.testsfailed or session.config.option.collectonly or session.config.option.usepdb:
        return None  # pytest goes on by itself
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    run = _Run(session)
    try:
        run.go()
    finally:
        run.end()
    return True


class _Queue:
    """Units that lanes take: each number can be read from the pipe once."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self._reads, writes = os.pipe()
        os.write(writes, b"".join(number.to_bytes(2, "big") for number in range(len(units))))
        os.close(writes)

    def __iter__(self) -> Iterator[Unit]:
        while number := os.read(self._reads, 2):
            yield self.units[int.from_bytes(number, "big")]

    def close(self) -> None:
        os.close(self._reads)


@dataclass
class _Lane:
    process: BaseProcess
    queue: _Queue
    sound: bool
    runs: deque[pytest.Item] = field(default_factory=deque)
    """The tests that it has taken and not reported. The first of them is running."""


class _Run:
    """Starts lanes and reports what they send as if the tests had run in this process."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        self._left = dict(self._items)
        units = kinds.units(session.items)
        self._sound = _Queue([unit for unit in units if kinds.judges_sound(unit[0])])
        self._others = _Queue([unit for unit in units if not kinds.judges_sound(unit[0])])
        self._lanes: dict[Connection, _Lane] = {}
        self._started = 0

    def go(self) -> None:
        option = self._session.config.option
        # The quick tests wait for threads and sockets: with two, a tenth of two cores' time is not used.
        for_each_core = 2 if any(map(kinds.is_long, self._session.items)) else 3
        lanes = option.lanes or for_each_core * (os.cpu_count() or 1)
        at_once = min(option.sound_lanes, len(self._sound.units))
        if at_once and not priority.may_rise():
            self._start(lanes, self._others)
            self._report()
            self._start(at_once, self._sound, sound=True)
        else:
            self._start(at_once, self._sound, sound=True)
            self._start(lanes, self._others)
        self._report()
        for item in self._left.values():  # a lane died before it could say that it takes them
            self._fail(item, "no process ran it")

    def _start(self, number: int, queue: _Queue, *, sound: bool = False, first: Unit = ()) -> None:
        for _ in range(number):
            reports, connection = _fork.Pipe(duplex=False)
            arguments = (self._session, self._started, queue, first, sound, connection)
            process = _fork.Process(target=_run_lane, args=arguments)
            with _ctrl_c_waits():
                process.start()
                self._lanes[reports] = _Lane(process, queue, sound)
            connection.close()
            self._started += 1

    def _report(self) -> None:
        while self._lanes:
            for connection in wait(list(self._lanes)):
                assert isinstance(connection, Connection)
                try:
                    message = connection.recv()
                except EOFError:
                    self._ended(connection)
                else:
                    self._note(self._lanes[connection], *message)

    def _note(self, lane: _Lane, kind: str, content: Any) -> None:
        if kind == "takes":
            lane.runs.extend(self._items[nodeid] for nodeid in content)
            return
        hook = self._session.config.hook
        for data in content:
            report = hook.pytest_report_from_serializable(config=self._session.config, data=data)
            hook.pytest_runtest_logreport(report=report)
        if kind == "has run":
            item = lane.runs.popleft()
            del self._left[item.nodeid]
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)

    def _ended(self, connection: Connection) -> None:
        """A lane that has not run all that it took died of the first of it. Another goes on with the rest. Where a lane for sound is done,
        another runs other tests.
        """
        lane = self._lanes.pop(connection)
        connection.close()
        lane.process.join()
        if lane.runs:
            died = lane.runs.popleft()
            del self._left[died.nodeid]
            self._fail(died, f"its process died ({lane.process.exitcode})")
            self._start(1, lane.queue, sound=lane.sound, first=tuple(lane.runs))
        elif lane.process.exitcode:
            raise RuntimeError(f"A process that runs tests died between them ({lane.process.exitcode}).")
        elif lane.sound and priority.may_rise():
            self._start(1, self._others)

    def _fail(self, item: pytest.Item, why: str) -> None:
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", f"{item.nodeid}: {why}", "call")
        self._session.config.hook.pytest_runtest_logreport(report=report)

    def end(self) -> None:
        """Lanes that still run, since the run was ended early, end what their tests share."""
        for lane in self._lanes.values():
            lane.process.terminate()
        until = time.monotonic() + _ENDS_WITHIN_S
        for lane in self._lanes.values():
            lane.process.join(max(0, until - time.monotonic()))
            lane.process.kill()
            lane.process.join()
        self._sound.close()
        self._others.close()


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Until the block is done. What Ctrl+C raises in the functions that Python calls after a fork, Python prints and forgets."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class _Reports:
    """Sends what the tests of one lane come to."""

    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        self._of_test: list[Any] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._of_test.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_runtest_logfinish(self) -> None:
        self._connection.send(("has run", self._of_test))
        self._of_test = []


class _Unknown:
    """The next test, of which a lane only knows that it is one of this session: what a module set up is ended."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    def listchain(self) -> list[pytest.Session]:
        return [self._session]


def _run_lane(session: pytest.Session, number: int, queue: _Queue, first: Unit, sound: bool, connection: Connection) -> None:
    os.setsid()  # Ctrl+C reaches the first process alone, which ends this one
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # browsers and servers inherit it
    signal.signal(signal.SIGTERM, _interrupt)
    if sound and priority.may_rise():
        priority.rise()
    config = session.config
    _capture_apart(config)
    factory: Any = config._tmp_path_factory  # type: ignore[attr-defined]
    factory._basetemp = factory.getbasetemp() / f"lane-{number}"
    factory._basetemp.mkdir(mode=0o700)
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Reports(config, connection))
    item = None
    try:
        for unit in (first, *queue) if first else queue:
            connection.send(("takes", [item.nodeid for item in unit]))
            for item, following in zip(unit, (*unit[1:], _Unknown(session)), strict=True):
                config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    finally:
        _end_what_is_shared(session, item, connection)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _capture_apart(config: pytest.Config) -> None:
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()  # into a file that all would write to
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _end_what_is_shared(session: pytest.Session, last: pytest.Item | None, connection: Connection) -> None:
    """Reports what fails here as an error of the last test, with what was printed."""
    capture: Any = session.config.pluginmanager.getplugin("capturemanager")
    capture.resume_global_capture()
    try:
        session._setupstate.teardown_exact(None)
    except Exception:
        if last is None:
            raise
        failed = pytest.TestReport(last.nodeid, last.location, {}, "failed", pytest.ExceptionInfo.from_current().getrepr(), "teardown")
        failed.sections.append(("Captured output teardown", "".join(capture.read_global_capture())))
        report = session.config.hook.pytest_report_to_serializable(config=session.config, report=failed)
        connection.send(("has ended", [report]))
    finally:
        capture.suspend_global_capture()
