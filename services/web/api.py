"""Builds the REST API: all routers over one desk. Its contract is in the README."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial

from fastapi import FastAPI
from starlette.routing import Route

from services.desk.desk import CallDesk
from services.dialling.switch import Switch
from services.domain.call import Call
from services.domain.client import Client, Scope
from services.domain.errors import EarshotError
from services.listening.live_sound import LiveSound
from services.settings import Settings
from services.support.signals import Signal
from services.vapi.forwarding import WebhookForward
from services.web.access.logins import Logins
from services.web.access.sessions import Sessions
from services.web.access.tickets import Tickets
from services.web.access.tokens import read_tokens
from services.web.access.webhook_access import WebhookAccess
from services.web.access.webhook_signature import WebhookSignature
from services.web.answers import alert_answer, call_details
from services.web.call_events import CallEvents, Figures, Raised, Transcript
from services.web.json_body import JsonBody
from services.web.mcp.route import ROUTE as MCP
from services.web.mcp.route import McpRoute
from services.web.problems import install_problems
from services.web.routes.annotations import annotations_router
from services.web.routes.audit import audit_router
from services.web.routes.block_list import block_list_router
from services.web.routes.calls import calls_router
from services.web.routes.contacts import IMPORT, MAX_IMPORT, contacts_router
from services.web.routes.docs_page import install_docs
from services.web.routes.event_stream import events_router
from services.web.routes.export import export_router
from services.web.routes.health import health_router
from services.web.routes.insights import insights_router
from services.web.routes.listen_socket import listen_router
from services.web.routes.measures import measures_router
from services.web.routes.numbers import numbers_router
from services.web.routes.recording_rules import recording_rules_router
from services.web.routes.rules import rules_router
from services.web.routes.switch import switch_router
from services.web.routes.transcripts import line_answer, transcript_router
from services.web.routes.webhook import MAX_BODY as MAX_WEBHOOK
from services.web.routes.webhook import ROUTE as WEBHOOK
from services.web.routes.webhook import webhook_router
from services.web.server.traced import NO_TELEMETRY


def create_api(
    *,
    desk: CallDesk,
    relay: LiveSound,
    tickets: Tickets,
    switch: Switch,
    settings: Settings,
    version: str,
    sessions: Sessions | None = None,
    forward: WebhookForward | None = None,
) -> FastAPI:
    """The FastAPI app with every route that is not a page, except those of recordings. `state.events` has the event streams to close, and
    `state.mcp` the MCP server.

    `forward` sends webhooks on to the owner's own server.
    """
    api = FastAPI(title="Earshot", version=version, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY)
    install_problems(api)
    api.add_middleware(JsonBody, larger={WEBHOOK: MAX_WEBHOOK, IMPORT: MAX_IMPORT}, unchecked={WEBHOOK})
    key = settings.webhook_hmac_key
    signature = WebhookSignature(key=key, payload=settings.webhook_hmac_payload) if key else None
    # Runs before JsonBody, which reads the body.
    api.add_middleware(WebhookAccess, path=WEBHOOK, secret=settings.webhook_secret, signature=signature, max_body=MAX_WEBHOOK)
    events = CallEvents(desk, _transcript_events(desk), _measures_events(desk), _alert_events(desk))
    api.state.events = events
    api.state.mcp = McpRoute(desk, api, configured=read_tokens(settings.api_tokens).any_may(Scope.MCP), version=version)
    api.router.routes.append(Route(MCP, api.state.mcp))
    # `/api/calls/end-all` and `/api/calls.csv` come before `/api/calls/{call_id}`, which would match them.
    api.include_router(switch_router(switch=switch, desk=desk))
    api.include_router(block_list_router(desk))
    api.include_router(recording_rules_router(desk))
    api.include_router(export_router(desk))
    api.include_router(audit_router(desk.journal))
    api.include_router(calls_router(desk=desk, tickets=tickets, direct=settings.listen_mode == "direct"))
    api.include_router(annotations_router(desk))
    api.include_router(insights_router(desk))
    api.include_router(rules_router(desk))
    api.include_router(contacts_router(desk))
    api.include_router(health_router(desk=desk, relay=relay, mode=settings.mode, version=version))
    api.include_router(transcript_router(desk))
    api.include_router(measures_router(desk))
    api.include_router(numbers_router(desk))
    api.include_router(webhook_router(desk=desk, forward=forward or WebhookForward()))

    def without_listen_url(call: Call, may_listen: bool) -> dict[str, object]:
        return call_details(desk, call, listen_url=None, may_listen=may_listen)

    api.include_router(events_router(desk=desk, events=events, answer=without_listen_url, listen=partial(_listen, relay)))
    api.include_router(
        listen_router(
            relay=relay,
            tickets=tickets,
            find=desk.find,
            on_listen=partial(_note_listening, desk),
            logins=Logins(sessions, desk.tokens),
            audience=desk.audience,
        )
    )
    install_docs(api)
    return api


def _listen(relay: LiveSound, call_id: str) -> AbstractContextManager[object]:
    try:
        return relay.listen(call_id, sound=False, events=False)
    except EarshotError:
        return nullcontext()  # the call has ended or is not one of the desk's


def _note_listening(desk: CallDesk, client: str, call_id: str) -> None:
    if call := desk.get(call_id):
        desk.note(Client(name=client), "listen", call)


def _transcript_events(desk: CallDesk) -> Signal[Transcript]:
    """The lines of all transcripts, as events for the followers of a call."""
    events: Signal[Transcript] = Signal()
    desk.transcripts.changed.subscribe(lambda change: events.emit(Transcript(call_id=change[0], body=line_answer(change[1]))))
    return events


def _measures_events(desk: CallDesk) -> Signal[Figures]:
    """What is measured of running calls, as events for the followers of a call."""
    events: Signal[Figures] = Signal()

    def tell(call_id: str) -> None:
        if measured := desk.measurements.live(call_id):
            events.emit(Figures(call_id=call_id, body=measured.brief()))

    desk.measurements.changed.subscribe(tell)
    return events


def _alert_events(desk: CallDesk) -> Signal[Raised]:
    """The alerts of all calls, as events for the followers of a call."""
    events: Signal[Raised] = Signal()
    desk.alerts.raised.subscribe(lambda alert: events.emit(Raised(call_id=alert.call_id, body=alert_answer(alert))))
    return events
