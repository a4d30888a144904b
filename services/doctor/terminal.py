"""Asks somebody at the terminal."""

import asyncio
import sys


async def ask_on_terminal(question: str) -> str:
    """The line that is typed, empty at the end of the input. The event loop goes on meanwhile, so that calls are watched."""
    print(question, end="", flush=True)  # noqa: T201
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.rstrip("\n")
