"""The port that Earshot serves on."""

import asyncio
import socket

from services.settings import Settings
from services.web.server.port import open_port
from tests.patience import HANG_S


async def test_no_packet_of_an_answer_waits_for_the_client() -> None:
    """Nagle's algorithm is off: together with a client that acknowledges late, it would add 40 ms to each answer."""
    accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(bool(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        writer.close()

    listening = open_port(Settings(host="127.0.0.1", port=0))
    async with await asyncio.start_server(accept, sock=listening), asyncio.timeout(HANG_S):
        _, writer = await asyncio.open_connection(*listening.getsockname())
        assert await accepted
        writer.close()
        await writer.wait_closed()
