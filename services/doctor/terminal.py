"""Asks somebody at the terminal."""

import asyncio
import os
import sys
import threading
from contextlib import suppress

_SOME = 4096  # bytes


class Terminal:
    """Reads lines from standard input while the event loop goes on, so that calls are watched meanwhile."""

    def __init__(self) -> None:
        self._rest = b""

    async def ask(self, question: str) -> str:
        """The line that is typed, empty at the end of the input."""
        print(question, end="", flush=True)  # noqa: T201
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()

        def read() -> None:
            typed = self._read_line()
            with suppress(RuntimeError):  # the loop was closed by Ctrl-C
                loop.call_soon_threadsafe(_resolve, line, typed)

        # A thread that nobody waits for: Ctrl-C must end the program, though nothing was typed.
        threading.Thread(target=read, name="read terminal", daemon=True).start()
        return await line

    def _read_line(self) -> str:
        # Not by `sys.stdin`, whose lock a waiting thread would hold at the end of the program.
        while b"\n" not in self._rest and (more := os.read(sys.stdin.fileno(), _SOME)):
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace").strip()


def _resolve(line: asyncio.Future[str], typed: str) -> None:
    if not line.done():
        line.set_result(typed)
