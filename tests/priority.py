"""Lets a process of the tests, and all that it starts, go before others: for sound, which comes late where it must wait for a core."""

import os
from contextlib import suppress
from pathlib import Path

_NICE = -15
_PROC = Path("/proc")


def may_rise() -> bool:
    """Linux lets root, and whoever it gave leave to, go before others."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, before - 1)
    except PermissionError:
        return False
    os.setpriority(os.PRIO_PROCESS, 0, before)
    return True


def rise() -> None:
    """Raises this process, which leads a session, and what it starts from now on."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    _raise_session(os.getpid())


def pass_on() -> None:
    """Raises the sessions that processes started by this one have opened since, as Playwright does for a browser."""
    if os.getpriority(os.PRIO_PROCESS, 0) != _NICE:
        return
    parents = dict(map(_of, _numbers()))
    started = {os.getpid()}
    while more := {number for number, (parent, _) in parents.items() if parent in started} - started:
        started |= more
    for session in {session for number, (_, session) in parents.items() if number in started}:
        _raise_session(session)


def _numbers() -> list[int]:
    return [int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit()]


def _of(number: int) -> tuple[int, tuple[int, int]]:
    """A process, its parent and its session; 0 for both if it has ended."""
    try:
        fields = (_PROC / str(number) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return number, (0, 0)
    return number, (int(fields[1]), int(fields[3]))


def _raise_session(leader: int) -> None:
    """Linux shares out the cores among sessions first, and a nice value holds within its own (sched(7), "The autogroup feature").
    Without that feature there is no such file, and the nice value is enough."""
    with suppress(FileNotFoundError, ProcessLookupError):
        (_PROC / str(leader) / "autogroup").write_text(str(_NICE))
