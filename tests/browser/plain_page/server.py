"""A page that only plays, and the live call it plays: files and WebSocket streams from one port, with nothing of Earshot's server."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nicegui
import numpy as np
import soundfile
from numpy.typing import NDArray
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

HERE = Path(__file__).parent
ASSETS = HERE.parent.parent.parent / "assets"
VUE = Path(nicegui.__file__).parent / "static"
FOLDERS = {"/assets/v1/": ASSETS, "/assets/": ASSETS, "/ui/": ASSETS.parent / "ui", "/vue/": VUE, "/": HERE}

RATE = 16000
FRAME = RATE // 50
START = json.dumps({"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": RATE, "channels": 2})


def demo_call() -> NDArray[np.int16]:
    """The demo conversation: samples x (customer, assistant)."""
    samples, rate = soundfile.read(ASSETS / "demo_call" / "demo_call.flac", dtype="int16", always_2d=True)
    assert rate == RATE
    return samples  # type: ignore[no-any-return]


Script = Callable[[ServerConnection, int], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class LiveCall:
    """What a script plays to whoever connects; `closed` holds the close codes of connections that are over.
    Files whose names are in `missing` are not served; `asked` holds the paths of files that were asked for."""

    address: str
    script: Script | None = None
    connections: int = 0
    closed: list[int | None] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    all_gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        self.all_gone.clear()
        assert self.script is not None
        playing = asyncio.ensure_future(self.script(connection, self.connections))
        try:
            await asyncio.wait({playing, asyncio.ensure_future(connection.wait_closed())}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            playing.cancel()
            await connection.wait_closed()
            self.closed.append(connection.close_code)
            if len(self.closed) == self.connections:
                self.all_gone.set()

    def file(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers what is no WebSocket."""
        self.asked.add(request.path)
        return _file(connection, request, self.missing)


def _file(connection: ServerConnection, request: Request, missing: set[str]) -> Response | None:
    if request.headers.get("Upgrade"):
        return None
    path = request.path.split("?")[0]
    folder = next(folder for folder in FOLDERS if path.startswith(folder))
    file = FOLDERS[folder] / path.removeprefix(folder)
    if not file.is_file() or file.name in missing:
        return connection.respond(404, "not found")
    body = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", "Cache-Control": "no-store"})
    return Response(200, "OK", headers, body)


@asynccontextmanager
async def plain_server() -> AsyncIterator[LiveCall]:
    """Serves until the block ends; set `script` before a page listens."""
    call = LiveCall(address="")
    async with serve(call.handle, "127.0.0.1", 0, process_request=call.file, compression=None) as server:
        call.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield call


async def send_live(
    connection: ServerConnection, sound: NDArray[np.int16], *, ahead: float = 1.0, stall: tuple[float, float] = (0, 0)
) -> None:
    """
    Sends 20 ms frames in real time, the first `ahead` seconds at once, so that a test does not fail on a slow machine's hiccups;
    nothing is sent between the two times of `stall` (seconds), then all that was due.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time() - ahead
    for first in range(0, len(sound), FRAME):
        due = first / RATE
        if stall[0] <= due < stall[1]:
            due = stall[1]
        await asyncio.sleep(max(0.0, begun + due - loop.time()))
        await connection.send(sound[first : first + FRAME].tobytes())
