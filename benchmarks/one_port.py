"""Two servers under one port, as Vapi's API and its sound are under one name: the app opens sound only where its base URL is."""

import asyncio
from contextlib import suppress
from multiprocessing.connection import Connection

import uvloop

CHUNK = 65536  # bytes


def one_port(port: Connection, api_port: int, sound_port: int) -> None:
    """Passes connections on: those that ask for a path with `/relayed` to the sound, all others to the API. Sends its own port."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n")
            beyond, onward = await asyncio.open_connection("127.0.0.1", sound_port if b"/relayed" in request else api_port)
            onward.write(request)
            await asyncio.gather(copy(reader, onward), copy(beyond, writer))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing() and (data := await reader.read(CHUNK)) and not writer.is_closing():
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await asyncio.Future()

    uvloop.run(run())
