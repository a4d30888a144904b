"""The port that Earshot serves on, and the configuration of uvicorn, which serves it."""

import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from services.settings import Settings
from services.web.server.connections import Connections
from services.web.server.open_connections import backlog
from services.web.server.sockets import Sockets


def open_port(settings: Settings) -> socket.socket:
    """The socket to serve on, opened first so that a taken port is reported before anything starts."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named. Without it, the second packet of an answer waits up to 40 ms for the
    # client's acknowledgement of the first.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
        listening.listen(backlog())
    except OSError as error:
        listening.close()
        raise OSError(
            f"{settings.host}:{settings.port} can't be used ({error.strerror}). Another program may use it; set PORT to another number."
        ) from error
    return listening


def server_config(app: ASGIApp) -> uvicorn.Config:
    """The server's configuration. No access log, because its lines would contain listen tickets."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=Connections,
        ws=Sockets,
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        timeout_graceful_shutdown=2,
        backlog=backlog(),
    )
