"""The pages and their addresses, and what they need of the server."""

import re
from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.desk.desk import CallDesk
from services.dialling.switch import Switch
from services.doctor.going_live import GoingLive
from services.domain.client import Client, Scope
from services.domain.errors import Forbidden
from services.domain.permissions import require, require_reports
from services.listening.live_sound import LiveSound
from services.recording.recordings import Recordings
from services.settings import Settings
from services.support.memory import expect_page
from services.vapi.forwarding import WebhookForward
from services.webhooks_out.endpoints import Endpoints
from ui.audit.audit import AuditPage
from ui.insights.insights import InsightsPage
from ui.kit.assets import ROUTE, AssetFiles
from ui.kit.icons import FAVICON
from ui.kit.notice import Notice
from ui.kit.visitor import visitor, visitor_may, welcome_visitor
from ui.page import DeskPage
from ui.shell.nicegui_files import NiceguiFiles
from ui.shell.nonces import install_nonces
from ui.shell.page_messages import install_message_checks
from ui.shell.theme import apply_theme, choose_theme
from ui.wall import show_wall
from ui.words import choose_language


def install_pages(
    app: FastAPI,
    *,
    desk: CallDesk,
    relay: LiveSound,
    recordings: Recordings,
    settings: Settings,
    switch: Switch,
    issue_ticket: Callable[[str, str, str], str],
    client_now: Callable[[str, Client], Client],
    forward: WebhookForward,
    endpoints: Endpoints,
    going_live: GoingLive,
    on_this_machine: Callable[[Request], bool],
) -> None:
    """Adds the page and its assets to `app`. `issue_ticket` returns a listen ticket for a call id, the name of a client and the key of its
    session. `client_now` returns who acts in a session that a client began, and raises Unauthorized once it is over. `on_this_machine` says
    whether a request comes from the machine that Earshot runs on.
    """
    app.mount(ROUTE, AssetFiles())

    def begin() -> None:
        """What every page needs first."""
        expect_page()
        choose_language()
        choose_theme()
        state = ui.context.client.request.state
        welcome_visitor(state.client, partial(client_now, state.session, state.client))

    def _ticket(call_id: str, session: str) -> str:
        client = visitor()
        require(client, Scope.LISTEN)
        return issue_ticket(call_id, client.name, session)

    def may_go_live() -> bool:
        return going_live.possible and visitor_may(Scope.MANAGE) and on_this_machine(ui.context.client.request)

    @ui.page("/")
    def index(call: str = "", to: str = "", t: str = "") -> None:
        """`?call=` names the call to show first, `&t=` a moment of its recording in seconds, `?to=` a number for the field. The list of
        calls has filters of its own. No address ever dials.
        """
        begin()
        session: str = ui.context.client.request.state.session
        DeskPage(
            desk=desk,
            relay=relay,
            recordings=recordings,
            settings=settings,
            switch=switch,
            issue_ticket=lambda call_id: _ticket(call_id, session),
            forward=forward,
            endpoints=endpoints,
            going_live=going_live if may_go_live() else None,
            call_id=call,
            to=to,
            moment_s=_seconds(t),
        )

    @ui.page("/insights")
    def insights() -> None:
        begin()
        try:
            require_reports(visitor())
        except Forbidden as error:
            Notice(lasting=True).show_error(error)
        else:
            InsightsPage(desk)

    @ui.page("/audit")
    def audit() -> None:
        begin()
        try:
            AuditPage(desk)
        except Forbidden as error:
            Notice(lasting=True).show_error(error)

    @ui.page("/wall")
    def wall_screen() -> None:
        begin()
        show_wall(desk, settings)

    nicegui_app.add_exception_handler(404, _not_found)
    app.add_middleware(NiceguiFiles)
    install_nonces()
    install_message_checks()
    apply_theme(with_login=settings.has_login)
    ui.run_with(
        app,
        title="Earshot",
        favicon=FAVICON,
        viewport="width=device-width, initial-scale=1, viewport-fit=cover",
        language="en-US",
        dark=None,
        tailwind=False,
        gzip_middleware_factory=lambda app: GZipMiddleware(app, compresslevel=4),  # pages are built per visit
        reconnect_timeout=30,  # with the default of 3 s a longer pause of the network would reload the page and cut the sound
        show_welcome_message=False,
    )


async def _not_found(_request: Request, _error: Exception) -> Response:
    """NiceGUI would build a whole page, and keep it for a minute: 67 kB for each address that somebody tries."""
    return PlainTextResponse("Not found", 404)


def _seconds(text: str) -> float | None:
    """A moment that an address names; None if it is not one."""
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII) else None
