"""Earshot's composition root: settings, services, routes, page, server. Nothing else lives here."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

import uvicorn
from fastapi import FastAPI

from services.demo_line import DemoLine
from services.desk import CallDesk
from services.listening.relay import Relay
from services.phone_number import EXAMPLE
from services.settings import Settings, SettingsError, read_settings
from services.vapi.gateway import Gateway
from services.version import VERSION
from services.web.api import create_api
from services.web.front_door import FrontDoor
from services.web.gatekeeper import Gatekeeper
from services.web.tickets import Tickets
from ui.page import install_pages

log = logging.getLogger("earshot")


def main() -> int:
    """Serves until told to stop. Exit code 1, with a sentence, when the settings or the port can't be used."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL that is read, twice a second
    try:
        settings = read_settings()
        listening = open_port(settings)
    except (SettingsError, OSError) as error:
        print(f"Earshot can't start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    gc.freeze()  # what was imported stays: looking through it again and again would hold up the event loop for 50 ms each time
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(serve(settings, listening))
    return 0


async def serve(settings: Settings, listening: socket.socket) -> None:
    """Everything that runs, from the first socket to the last, ended in the reverse order."""
    async with AsyncExitStack() as running:
        account = settings
        if settings.demo:
            line = await running.enter_async_context(DemoLine())
            account = replace(
                settings,
                api_key=line.api_key,
                base_url=line.base_url,
                assistant_id=line.assistant_id,
                phone_number_id=line.phone_number_id,
            )
        gateway = None if account.missing else vapi_gateway(account)
        if gateway:
            running.push_async_callback(gateway.aclose)
        desk = CallDesk(
            gateway=gateway,
            assistant_id=account.assistant_id,
            phone_number_id=account.phone_number_id,
            missing=account.missing,
            also_numbers=frozenset({EXAMPLE}) if settings.demo else frozenset(),
        )
        running.push_async_callback(desk.aclose)
        tickets = Tickets()
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look)
        running.push_async_callback(relay.aclose)
        desk.changed.subscribe(relay.on_call)
        await desk.start()

        pages = FastAPI(openapi_url=None)
        install_pages(pages, desk=desk, settings=settings, issue_ticket=tickets.issue)
        api = create_api(desk=desk, relay=relay, tickets=tickets, mode=settings.mode, version=VERSION, listen_mode=settings.listen_mode)
        app = Gatekeeper(FrontDoor(api=api, pages=pages), allowed_hosts=settings.allowed_hosts)
        server = uvicorn.Server(server_config(app))
        stop_gently(server)
        announce(settings)
        await server.serve(sockets=[listening])


def vapi_gateway(settings: Settings) -> Gateway:
    return Gateway(api_key=settings.api_key, base_url=settings.base_url, public_key=settings.public_key or None)


def server_config(app: object) -> uvicorn.Config:
    """How requests are served. No access log: its lines would hold listen tickets."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        timeout_graceful_shutdown=2,
    )


def open_port(settings: Settings) -> socket.socket:
    """The socket to serve on, opened first so that a taken port is told before anything starts."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise OSError(
            f"{settings.host}:{settings.port} can't be used ({error.strerror}). Another program may have it; set PORT to another number."
        ) from error
    return listening


def stop_gently(server: uvicorn.Server) -> None:
    """Has SIGTERM and SIGINT end the server in order. uvicorn raises the signal anew when it is done, which must not end the clean-up."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def announce(settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.missing:
        log.warning("%s missing: no call can be placed. Set it in the environment or in .env", " and ".join(settings.missing))
    what = "the demo line, no phone rings" if settings.demo else "real calls through Vapi"
    log.info("Earshot is at http://%s:%d (%s)", host, settings.port, what)


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
