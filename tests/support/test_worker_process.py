"""A worker process: started again when it dies, ended with this one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from services.support import worker_process
from services.support.worker_process import WorkerProcess
from tests.patience import HANG_S
from tests.process import ROOT

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="Linux only")]


def echo(sock: socket.socket) -> None:
    """Answers until the other end is closed, and dies of `die`."""
    while data := sock.recv(100):
        if data == b"die":
            raise SystemExit(3)
        sock.sendall(data.upper())


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    started = WorkerProcess(echo)
    started.news.settimeout(HANG_S)
    yield started
    started.join()


def socket_of(worker: WorkerProcess) -> socket.socket:
    sock = worker.socket_of_worker()
    assert sock
    sock.settimeout(HANG_S)
    return sock


def answer(sock: socket.socket, question: bytes) -> bytes:
    sock.sendall(question)
    return sock.recv(100)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(*pids: int) -> None:
    give_up = time.monotonic() + HANG_S
    while any(map(alive, pids)):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_it_answers_and_ends_when_its_socket_is_closed(worker: WorkerProcess) -> None:
    with socket_of(worker) as sock:
        assert answer(sock, b"hello") == b"HELLO"
        assert alive(worker.pid)
    worker.join()
    assert not alive(worker.pid)
    worker.join()


@pytest.mark.parametrize("way", ["killed", "failed"])
def test_one_that_dies_is_followed_by_another(worker: WorkerProcess, way: str) -> None:
    with socket_of(worker) as sock:
        first = worker.pid
        if way == "killed":
            os.kill(first, signal.SIGKILL)
        else:
            sock.sendall(b"die")
        assert sock.recv(1) == b""
    with socket_of(worker) as sock:
        assert worker.pid != first
        assert answer(sock, b"again") == b"AGAIN"


def test_a_signal_to_stop_does_not_end_it(worker: WorkerProcess) -> None:
    with socket_of(worker) as sock:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(worker.pid, number)
            assert answer(sock, b"still here") == b"STILL HERE"


def test_nothing_that_was_open_here_is_open_there() -> None:
    one, other = socket.socketpair()
    one.settimeout(HANG_S)
    with one:
        worker = WorkerProcess(echo)
        with socket_of(worker) as sock:
            answer(sock, b"started")
            other.close()
            assert one.recv(1) == b"", "the worker or its supervisor holds it open"
        worker.join()


def test_when_the_supervisor_ends_that_is_noticed(worker: WorkerProcess) -> None:
    with socket_of(worker) as sock:
        os.kill(worker._supervisor, signal.SIGKILL)
        assert worker.socket_of_worker() is None
        assert answer(sock, b"hello") == b"HELLO"
    wait_until_gone(worker.pid)


def test_one_that_returns_is_followed_by_another(worker: WorkerProcess) -> None:
    socket_of(worker).close()  # as after an error of the socket
    with socket_of(worker) as sock:
        assert answer(sock, b"again") == b"AGAIN"


def test_one_that_is_stopped_can_be_killed(worker: WorkerProcess) -> None:
    with socket_of(worker) as sock:
        os.kill(worker.pid, signal.SIGSTOP)
        worker.kill()
        assert sock.recv(1) == b""
    with socket_of(worker) as sock:
        assert answer(sock, b"again") == b"AGAIN"


def test_one_that_hangs_does_not_survive_the_end(worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_ENDS_WITHIN_S", 0.0)
    sock = socket_of(worker)
    os.kill(worker.pid, signal.SIGSTOP)
    worker.news.close()
    sock.close()
    worker.join()
    wait_until_gone(worker.pid)


MAIN = """
import sys, time
from services.support.worker_process import WorkerProcess
from tests.support.test_worker_process import echo, socket_of, answer
worker = WorkerProcess(echo)
sock = socket_of(worker)
answer(sock, b"hello")
print(worker._supervisor, worker.pid, flush=True)
if sys.argv[1] == "crashing":
    sock.sendall(b"die")
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["at work", "crashing"])
def test_all_end_when_the_main_process_is_killed(way: str) -> None:
    with subprocess.Popen([sys.executable, "-c", MAIN, way], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as main:
        assert main.stdout
        supervisor, first = map(int, main.stdout.readline().split())
        main.kill()
        wait_until_gone(supervisor, first)
