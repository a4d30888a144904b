"""A worker process beside this one, made by forking it, that is started again when it dies and ends when this one does.

A fork shares the memory of everything imported, so it starts within milliseconds and costs a fraction of a new Python. It is safe only
before the first thread: so a supervisor is forked then, which never has threads, and forks the worker, again and again. Linux only.
"""

import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

_PID = struct.Struct("=I")
_PAUSE_S = 0.25  # before a worker that died is started again; doubled each time one dies young, up to
_MOST_PAUSE_S = 5.0
_YOUNG_S = 10.0  # a worker that dies within this time of its start
_ENDS_WITHIN_S = 8.0
_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP")  # also sent to it when this process is to stop; it ends with this process


class WorkerProcess:
    """Forks the supervisor. `run` is called in the worker with its end of a socket, and must return when the other end is closed.

    `news` becomes readable for each worker that was started; `socket_of_worker` then returns this process' end. A worker that ends, however
    it does, is followed by a new one until `news` is closed.
    """

    def __init__(self, run: Callable[[socket.socket], None]) -> None:
        self.pid = 0
        """Of the worker whose socket was returned last."""
        self.news, theirs = socket.socketpair()
        self._supervisor = os.fork()
        if self._supervisor == 0:
            try:
                _close_all_but(theirs)
                for name in _IGNORED:
                    signal.signal(getattr(signal, name), signal.SIG_IGN)
                _supervise(theirs, run)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        theirs.close()

    def socket_of_worker(self) -> socket.socket | None:
        """This process' end of the socket of a worker that was just started; None if the supervisor has ended."""
        data, descriptors, _, _ = socket.recv_fds(self.news, _PID.size, 1)
        if not descriptors:
            return None
        os.set_inheritable(descriptors[0], False)
        (self.pid,) = _PID.unpack(data)
        return socket.socket(fileno=descriptors[0])

    def kill(self) -> None:
        """Ends a worker that hangs, even one that is stopped. Its socket must still be open here; another worker follows."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def join(self) -> None:
        """Waits for the end of worker and supervisor, and kills them if they hang. The worker's socket must have been closed, after `news`.
        Blocks, for some seconds at most.

        May be called twice.
        """
        self.news.close()
        if not self._supervisor:
            return
        give_up = time.monotonic() + _ENDS_WITHIN_S
        while os.waitpid(self._supervisor, os.WNOHANG) == (0, 0):
            if time.monotonic() > give_up:
                os.kill(self._supervisor, signal.SIGKILL)
                self.kill()
                os.waitpid(self._supervisor, 0)
                break
            time.sleep(0.005)
        self._supervisor = 0


def _supervise(main: socket.socket, run: Callable[[socket.socket], None]) -> None:
    pause_s = _PAUSE_S
    while True:
        outside, inside = socket.socketpair()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                outside.close()
                main.close()
                run(inside)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        inside.close()
        main_is_gone = False
        try:
            socket.send_fds(main, [_PID.pack(pid)], [outside.fileno()])
        except OSError:  # the worker notices too: its socket is closed
            main_is_gone = True
        outside.close()
        os.waitpid(pid, 0)
        if main_is_gone or _hung_up(main):
            return
        pause_s = min(2 * pause_s, _MOST_PAUSE_S) if time.monotonic() - started < _YOUNG_S else _PAUSE_S
        time.sleep(pause_s)


def _hung_up(main: socket.socket) -> bool:
    watched = select.poll()
    watched.register(main, 0)  # an end that is closed is always reported
    return bool(watched.poll(0))


def _close_all_but(sock: socket.socket) -> None:
    """Closes what was inherited, such as the port, which would stay taken.

    Their numbers stay taken, else a new socket might get one, and be closed by an object of the main process that is collected later.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in (null, sock.fileno()):
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)
