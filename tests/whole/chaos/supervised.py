"""An app that is started again whenever it ends, as a service manager does."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.ports import free_port
from tests.process import MAIN, Process, started

_POLL_S = 0.1
_AGAIN_S = 1.0  # after which an app that could not start is started again


class Life:
    """One process of the app. `killed` once it was sent SIGKILL."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.killed = False
        self.served = False


class Supervised:
    """`life` is None while it does not serve. `ends` are the outputs of processes that ended though nobody killed them, and `output` is
    that of all.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.life: Life | None = None
        self.ends: list[str] = []
        self.outputs: list[str] = []
        self._folder = folder
        self._environ = environ
        self._session = session

    def kill(self) -> None:
        """`kill -9`, if it serves."""
        if life := self.life:
            self.life = None
            life.killed = True
            life.process.popen.kill()

    async def run(self) -> None:
        """Until cancelled; then the app is killed."""
        while True:
            with started(MAIN, cwd=self._folder, environ=self._environ, port=self.port) as process:
                life = Life(process)
                try:
                    await self._live(life)
                finally:
                    self.life = None
            self.outputs.append(process.output)
            if not life.killed:
                if life.served:
                    self.ends.append(process.output)
                await asyncio.sleep(_AGAIN_S)  # it could not start: the database is away

    async def _live(self, life: Life) -> None:
        while life.process.popen.poll() is None:
            if not life.served and await self._serves():
                life.served = True
                self.life = life
            await asyncio.sleep(_POLL_S)

    async def _serves(self) -> bool:
        try:
            async with self._session.get(self.url + "/health/live") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False
