"""`pytest -p tests.shares`: one process collects the tests, then forks others that share out the files between them.

With pytest-xdist each worker imports the app and collects all tests, and so does the process that starts them. Only for tests that start no
process or thread before they run: a fork copies no thread.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from itertools import groupby
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

_fork = multiprocessing.get_context("fork")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> object:
    if session.testsfailed or session.config.option.collectonly or session.config.option.usepdb:
        return None  # pytest goes on by itself
    files = [list(items) for _, items in groupby(session.items, key=lambda item: item.path)]
    files.sort(key=lambda items: -items[0].path.stat().st_size)  # so that at the end none is alone with a long one
    queue, numbers = os.pipe()
    os.write(numbers, b"".join(number.to_bytes(2, "big") for number in range(len(files))))
    os.close(numbers)
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    processes = {}
    try:
        for number in range(_many()):
            reports, connection = _fork.Pipe(duplex=False)
            process = _fork.Process(target=_run, args=(session, number, _handed_out(queue, files), connection), daemon=True)
            process.start()
            connection.close()
            processes[reports] = process
        _report(session, list(processes))
    finally:
        for process in processes.values():
            process.kill()
            process.join()
        os.close(queue)
    return True


def _many() -> int:
    """Twice as many as there are cores, since tests wait as well: 39 s instead of 48 s with one more than there are cores, two here."""
    return 2 * (os.cpu_count() or 1)


def _handed_out(queue: int, files: list[list[pytest.Item]]) -> Iterator[pytest.Item]:
    while number := os.read(queue, 2):
        yield from files[int.from_bytes(number, "big")]


class _Reports:
    """Sends what the tests of one process came to."""

    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        self._of_test: list[Any] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._connection.send(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._of_test.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        self._connection.send((nodeid, location, self._of_test))
        self._of_test = []


def _run(session: pytest.Session, number: int, items: Iterator[pytest.Item], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the first process, and that this one
    config = session.config
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()  # into a file that all would write to
    capture.start_global_capturing()
    capture.suspend_global_capture()
    factory: Any = config._tmp_path_factory  # type: ignore[attr-defined]
    factory._basetemp = factory.getbasetemp() / f"share-{number}"
    factory._basetemp.mkdir(mode=0o700)
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Reports(config, connection))
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following
    connection.send(None)


def _report(session: pytest.Session, connections: list[Connection]) -> None:
    """Reports what comes in as if the tests had run in this process."""
    hook = session.config.hook
    runs: dict[Connection, str] = {}
    while connections:
        for connection in wait(connections):
            assert isinstance(connection, Connection)
            try:
                message = connection.recv()
            except EOFError:
                raise session.Interrupted(f"a process died in {runs.get(connection, 'its first test')}") from None
            if message is None:
                connections.remove(connection)
            elif isinstance(message, str):
                runs[connection] = message
            else:
                nodeid, location, reports = message
                for data in reports:
                    hook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=session.config, data=data))
                hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
