"""The app as a user starts it: `python main.py` in a process of its own."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parent.parent
STOPS_WITHIN = 5.0  # seconds; only so that a test of a process that hangs ends


class Process:
    """A running app; `output` is what it wrote by the time it ended."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self.process = process
        self.output = ""

    async def stop(self) -> int:
        """SIGTERM, and the exit code. Raises TimeoutError if the app does not end."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(STOPS_WITHIN):
            output, _ = await self.process.communicate()
        self.output += output.decode()
        return self.process.returncode or 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start(cwd: Path, environ: Mapping[str, str] | None = None, *, port: int | None = None) -> Process:
    """Starts the app in the folder `cwd`, so that no `.env` of the project's own is read."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VAPI_", "EARSHOT_", "NICEGUI_", "PYTEST_"))}
    port = port or free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "main.py"),
        cwd=cwd,
        env=clean | {"PORT": str(port), **(environ or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Process(process, f"http://127.0.0.1:{port}")


@asynccontextmanager
async def running(cwd: Path, environ: Mapping[str, str] | None = None, *, port: int | None = None) -> AsyncIterator[Process]:
    """The app once `/health` answers, whatever it answers; stopped afterwards if the test did not."""
    app = await start(cwd, environ, port=port)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while app.process.returncode is None:
                try:
                    async with session.get(app.url + "/health"):
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        yield app
    finally:
        if app.process.returncode is None:
            app.process.kill()
            await app.process.communicate()


def vapi_environ(url: str) -> dict[str, str]:
    """The environment of an app that calls through the Vapi at `url`."""
    return {
        "VAPI_API_KEY": "secret-private-key",
        "VAPI_ASSISTANT_ID": "assistant",
        "VAPI_PHONE_NUMBER_ID": "phone",
        "VAPI_BASE_URL": url,
    }
