"""Earshot's composition root: settings, services, routes, page, server. Nothing else lives here."""

import gc

if __name__ == "__main__":
    gc.disable()  # during the imports, whose objects live for ever; collecting takes a fifth of the start

import asyncio
import logging
import os
import socket
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from services.demo_line import LINES, DemoLine
from services.desk.desk import CallDesk
from services.desk.erasing.retention import Kept, Retention
from services.desk.judging.measuring import Measuring
from services.dialling.block_list import BlockList
from services.dialling.dial_guard import DialGuard
from services.dialling.earlier_files import import_files
from services.dialling.reach import Reach
from services.dialling.switch import Switch
from services.doctor.doctor import Doctor
from services.doctor.going_live import GoingLive
from services.doctor.terminal import Terminal
from services.domain.client import Scope
from services.domain.errors import EarshotError
from services.domain.phone_number import EXAMPLE
from services.journal import AuditRow, Journal
from services.journal.backup import back_up
from services.listening.live_sound import LiveSound
from services.listening.relay import Relay
from services.listening.remote_relay import RemoteRelay
from services.recording.claimed_folder import claim_folder
from services.recording.recordings import Recordings
from services.recording.store import Credentials, RecordingStore
from services.recording.vapi_recordings import VapiRecordings
from services.settings import CREDENTIALS, TABLE, Settings, SettingsError, read_settings
from services.support.command_line import CommandLine
from services.support.descriptors import watch_descriptors
from services.support.log_lines import log_to_stderr
from services.support.loop_lag import measure_lag
from services.support.memory import give_back_memory
from services.support.root_path import serve_under
from services.support.tasks import Tasks
from services.support.traces import stop_traces
from services.support.version import VERSION
from services.support.worker_process import WorkerProcess
from services.vapi.forwarding import WebhookForward
from services.vapi.gateway import Gateway
from services.vapi.no_credentials import NoCredentials
from services.web.access.authentication import require_safe, require_whole_provider
from services.web.access.logins import Logins
from services.web.access.loopback import from_this_machine
from services.web.access.sign_in import install_sign_in
from services.web.access.tickets import Tickets, ticket_key
from services.web.access.tokens import read_tokens
from services.web.announcement import announce, welcome_first_owner
from services.web.api import create_api
from services.web.app import web_app
from services.web.metrics import Metrics
from services.web.routes.audit import page_audit_router
from services.web.routes.call_files import call_files_router, page_files_router
from services.web.routes.clips import ClipAnswers
from services.web.routes.export import page_export_router
from services.web.routes.insights import page_insights_router
from services.web.routes.metrics import metrics_router
from services.web.routes.people import people_router
from services.web.routes.recordings import recording_router, replay_router
from services.web.routes.vapi_recording import vapi_recording_router, vapi_replay_router
from services.web.routes.webhooks import webhooks_router
from services.web.server.face_router import FaceRouter
from services.web.server.port import open_port, server_config
from services.web.server.server import Server
from services.web.server.sound import sound_of
from services.web.server.sound_process import run_sound
from services.web.server.traced import NO_TELEMETRY, Traced, traces_wanted
from services.web.webhook_bodies import webhook_body
from services.webhooks_out.addresses import Addresses
from services.webhooks_out.deliveries import Deliveries
from services.webhooks_out.endpoints import Endpoints
from services.webhooks_out.sender import Sender
from ui.pages import install_pages

log = logging.getLogger("earshot")

DUPLICATE_WINDOW = timedelta(seconds=30)
"""A client that calls the same number again within this time must confirm it. Not on the demo line, where no phone rings."""

REPORT = Path("earshot-report.txt")
"""Where the doctor writes what it found: in the current folder."""

DRAIN_S = 15
"""Seconds for which a process that is being stopped waits for dials and hang-ups under way. Vapi has 10 s to answer a dial."""


def main() -> int:
    """Serves until SIGINT or SIGTERM, makes a backup, or examines the account.

    Exit code 1, with a sentence per problem, if the settings, the port or the journal can't be used.
    """
    options = CommandLine(TABLE.values()).parse_args()
    log_to_stderr()
    try:
        if options.backup:
            back_up(journal_place(read_settings()), options.backup)
            return 0
        if options.doctor:
            with suppress(KeyboardInterrupt):
                return asyncio.run(examine(read_settings()))
            return 130  # as a shell says of a program that Ctrl-C ended
        settings = read_settings(checks=(require_safe, require_whole_provider, lambda settings: read_tokens(settings.api_tokens)))
        log_to_stderr(settings.log_format)
        serve_under(settings.root_path)
        listening = open_port(settings)
        gc.freeze()  # imported objects stay; each collection of them would block the event loop for 50 ms
        gc.enable()
        # Before the first thread: a fork with threads is not safe. macOS has fork too, but its libraries do not survive it.
        worker = WorkerProcess(run_sound) if sys.platform == "linux" else None
        # By default uvicorn would log in a format of its own, unescaped.
        with asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory()) as runner:
            again = runner.run(serve(settings, listening, worker))
    except (SettingsError, EarshotError, OSError) as error:
        print(f"Earshot can't {'make a backup' if options.backup else 'start'}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    if again:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 # nosec B606 - its own command
    return 0


async def serve(settings: Settings, listening: socket.socket, worker: WorkerProcess | None = None) -> bool:
    """Starts everything, serves, and stops everything in the reverse order. Sound runs in `worker`, else in a thread.

    True if it should start again, with new settings.
    """
    again = asyncio.Event()
    async with AsyncExitStack() as running:
        traced = traces_wanted(settings)
        running.push_async_callback(asyncio.to_thread, stop_traces)
        account, gateway, desk = await open_desk(settings, running)
        tickets = Tickets(await ticket_key(desk.journal))
        relay = await sound_of(desk, worker, running)
        desk.changed.subscribe(relay.on_call)
        background = Tasks()
        running.push_async_callback(background.aclose)
        background.start(watch_descriptors(), name="watch descriptors")
        background.start(give_back_memory(), name="give back memory")
        await desk.start()
        metrics = Metrics(desk=desk, relay=relay, requests=gateway.requests, version=VERSION, mode=settings.mode)
        await import_files(settings.data_dir, desk.blocked, desk.switch, rename=not settings.demo)
        recordings = recordings_of(account, desk, relay)
        running.push_async_callback(recordings.aclose)
        await recordings.open()
        for call in desk.calls():
            recordings.on_call(call)
        desk.changed.subscribe(recordings.on_call)
        retention = Retention(desk, kept_of(account), delete_recordings=recordings.delete_older)
        background.keep(retention.run, name="delete what is kept no longer")

        if settings.measure:
            measuring = Measuring(relay, journal=desk.journal.measures, measurements=desk.measurements, find=desk.get)
            running.push_async_callback(measuring.aclose)
            for call in desk.calls():
                measuring.on_call(call)
            desk.changed.subscribe(measuring.on_call)

        sender = Sender(Addresses(settings.webhook_networks))
        endpoints = Endpoints(desk.journal.outbox, sender)
        deliveries = Deliveries(desk.journal.outbox, body=partial(webhook_body, desk), sender=sender)
        running.push_async_callback(deliveries.aclose)
        deliveries.start()

        pages = FastAPI(openapi_url=None, telemetry=NO_TELEMETRY)
        sessions = await install_sign_in(pages, settings=settings, desk=desk, running=running)
        clips = ClipAnswers(recordings)
        pages.include_router(replay_router(recordings, clips))
        pages.include_router(page_export_router(desk))
        pages.include_router(page_insights_router(desk))
        pages.include_router(page_audit_router(desk.journal))
        vapi_recordings = VapiRecordings(
            account.data_dir / "vapi-recordings", fetch=gateway.recording, read=desk.read, count=desk.count_request, note=desk.note
        )
        running.push_async_callback(vapi_recordings.aclose)
        desk.changed.subscribe(vapi_recordings.on_call)
        pages.include_router(vapi_replay_router(vapi_recordings, desk))
        pages.include_router(page_files_router(gateway.artifact, desk))

        going_live = GoingLive(
            Path(".env"),
            names=CREDENTIALS,
            environ=os.environ,
            known_key=settings.api_key,
            base_url=settings.base_url,
            wanted=bool(settings.demo or settings.missing) and settings.on_loopback,
            note=desk.note,
            restart=again.set,
        )
        forward = WebhookForward(settings.webhook_forward)
        running.push_async_callback(forward.aclose)
        install_pages(
            pages,
            desk=desk,
            relay=relay,
            recordings=recordings,
            settings=settings,
            switch=desk.switch,
            issue_ticket=tickets.issue,
            client_now=Logins(sessions, desk.tokens).client_now,
            forward=forward,
            endpoints=endpoints,
            going_live=going_live,
            on_this_machine=from_this_machine,
        )
        api = create_api(
            desk=desk,
            relay=relay,
            tickets=tickets,
            switch=desk.switch,
            settings=settings,
            version=VERSION,
            sessions=sessions,
            forward=forward,
        )
        running.push_async_callback(api.state.mcp.aclose)
        background.start(measure_lag(metrics.lag, "main"), name="measure the main loop's lag")
        if isinstance(relay, Relay):
            background.start(relay.run(measure_lag(relay.counts.lag, "sound")), name="measure the sound loop's lag")
        api.include_router(metrics_router(metrics, token=settings.metrics_token, local=not settings.trusted_proxies))
        api.include_router(webhooks_router(endpoints))
        api.include_router(people_router(desk.people, passwords=settings.people))
        api.include_router(recording_router(recordings, clips))
        api.include_router(vapi_recording_router(vapi_recordings))
        api.include_router(call_files_router(gateway.artifact, desk))
        app = web_app(settings, FaceRouter(api=Traced(api) if traced else api, pages=pages), sessions, desk.tokens)

        async def drain() -> None:
            await desk.drain(DRAIN_S)
            api.state.events.close()  # the server waits for open responses
            if isinstance(relay, RemoteRelay):
                relay.end_sockets()

        announce(settings)
        await welcome_first_owner(settings, desk.people)
        # NiceGUI lists all objects that are not frozen. A tuple that another thread is building meanwhile fails with a SystemError.
        gc.freeze()
        server = Server(server_config(app), drain=drain)
        background.start(server.stop_at(again), name="stop to start again")
        await server.serve(sockets=[listening])
    return again.is_set()


async def open_desk(settings: Settings, running: AsyncExitStack) -> tuple[Settings, Gateway, CallDesk]:
    """The settings, with the demo line's credentials if it is used; the gateway; and the desk, not yet started. `running` closes them."""
    account, place = settings, journal_place(settings)
    if settings.demo:
        line = await running.enter_async_context(DemoLine(lines=max(LINES, settings.concurrent_calls or 0)))
        # The demo line forgets its calls when it ends, so journal and recordings go too; if Earshot is killed, at the next start.
        folder = await asyncio.to_thread(claim_folder, settings.data_dir / "demo")
        running.callback(folder.remove)
        account = replace(
            settings,
            api_key=line.api_key,
            base_url=line.base_url,
            assistant_id=line.assistant_id,
            phone_number_id=line.phone_number_id,
            data_dir=folder.path,
            recordings="",
        )
        place = account.data_dir / "demo.sqlite"
    journal = await Journal.open(place)
    running.push_async_callback(journal.aclose)
    gateway = (
        NoCredentials(account.missing)
        if account.missing
        else Gateway(api_key=account.api_key, base_url=account.base_url, public_key=account.public_key or None)
    )
    running.push_async_callback(gateway.aclose)
    desk = desk_of(account, gateway, journal, demo=settings.demo)
    running.push_async_callback(desk.aclose)
    return account, gateway, desk


async def examine(settings: Settings) -> int:
    """Runs the doctor, which asks on the terminal. Returns the exit code."""
    async with AsyncExitStack() as running:
        account, gateway, desk = await open_desk(settings, running)
        await desk.start()
        doctor = Doctor(
            gateway=gateway,
            desk=desk,
            webhook_secret=settings.webhook_secret,
            accepts_webhooks=bool(settings.webhook_secret or settings.webhook_hmac_key),
            ask=Terminal().ask,
            say=print,
            report=REPORT,
            max_call_seconds=account.max_call_seconds,
        )
        return await doctor.run()


def kept_of(settings: Settings) -> Kept:
    return Kept.days(
        recordings=settings.keep_recordings_days,
        transcripts=settings.keep_transcripts_days,
        numbers=settings.keep_numbers_days,
    )


def journal_place(settings: Settings) -> str | Path:
    """The database URL, or the SQLite file in the data folder."""
    return settings.database_url or settings.data_dir.absolute() / "journal.sqlite"


def desk_of(account: Settings, gateway: Gateway, journal: Journal, *, demo: bool) -> CallDesk:
    """The desk, with this installation's rules for dialling."""

    async def note_switch(who: str, what: str, why: str) -> None:
        await journal.note(AuditRow(at=datetime.now(UTC), who=who, action=what, outcome="done", detail=why))

    example = frozenset({EXAMPLE}) if demo else frozenset[str]()

    def guard(desk: CallDesk) -> DialGuard:
        return DialGuard(
            allowed_regions=account.allowed_regions,
            own_region=lambda: desk.directory.region(account.phone_number_id),
            blocked=desk.blocked,
            switch=desk.switch,
            always=example,
        )

    return CallDesk(
        gateway=gateway,
        journal=journal,
        guard=guard,
        switch=Switch(journal, note_switch),
        blocked=BlockList(journal),
        limits=replace(account.limits, duplicate_window=None if demo else DUPLICATE_WINDOW, one_per_number=True),
        assistant_id=account.assistant_id,
        phone_number_id=account.phone_number_id,
        max_call_seconds=account.max_call_seconds,
        missing=account.missing,
        dispositions=account.dispositions,
        token_names=[client.name for _, client in read_tokens(account.api_tokens).clients],
        reach=Reach(also=example, sip_hosts=account.sip_hosts),
        keep_transcripts=kept_of(account).transcripts,
    )


def recordings_of(settings: Settings, desk: CallDesk, relay: LiveSound) -> Recordings:
    store = None
    if settings.recordings.startswith("s3://"):
        credentials = Credentials(
            key_id=settings.s3_key_id,
            secret_key=settings.s3_secret_key,
            session_token=settings.s3_session_token,
            region=settings.s3_region,
            endpoint=settings.s3_endpoint,
        )
        store = RecordingStore(settings.recordings, credentials)
    return Recordings(
        Path(settings.recordings) if settings.recordings and not store else settings.data_dir / "recordings",
        journal=desk.journal.recordings,
        store=store,
        relay=relay,
        find=desk.get,
        note=desk.note,
        may_record=desk.consents.may_record,
        may_start=desk.consents.may_start,
        check=lambda call, client: desk.rights.check(call, client, Scope.CONTROL),
        limit=1_000_000 * settings.recordings_mb,
        default=settings.record,
    )


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
