"""Traces of the API's requests, and whether there are any."""

import logging
import os
import sys
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.settings import TABLE, Settings
from services.support.log_lines import request_id
from services.support.root_path import path_of
from services.support.traces import TracesUnavailable, span, start_traces

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

log = logging.getLogger(__name__)

NO_TELEMETRY: "TelemetryConfig" = {"auto_configure": False, "exclude": lambda _: True}
"""For FastAPI, which can export requests by itself: with their paths and queries, where numbers and tickets stand."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_PROBES = frozenset({"/health", "/health/live", "/metrics"})  # asked every few seconds, and nobody looks for them in a trace


def traces_wanted(settings: Settings) -> bool:
    """Starts traces if the settings ask for them. Without OpenTelemetry's SDK, the log says how to install it, and there are none."""
    exporter = settings.traces
    if not exporter:
        return False
    # The SDK reads the environment alone; these may stand in `.env`.
    for field in ("otel_endpoint", "otel_headers", "otel_service"):
        if value := getattr(settings, field):
            os.environ.setdefault(TABLE[field].name, value)
    if exporter == "otlp" and os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") != "http/protobuf":
        log.warning("traces are sent by OTLP as http/protobuf: the endpoint must take that, usually on port 4318")
    try:
        start_traces(exporter)
    except TracesUnavailable as error:
        log.warning(
            "%s No traces are exported. Install it with `%s -m pip install --require-hashes -r requirements-otel.lock`, or set"
            " OTEL_TRACES_EXPORTER=none",
            error,
            sys.executable,
        )
        return False
    return True


class Traced:
    """A span for each HTTP request but health checks, named by its route. It continues the trace of the request's `traceparent`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or path_of(scope) in _PROBES:
            return await self.app(scope, receive, send)
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span(method, kind="server", parent=Headers(scope=scope).get("traceparent", "")) as traced:
            traced.note({"http.request.method": method, "earshot.request_id": request_id()})
            await self.app(scope, receive, send_noted)
            if status:
                traced.note({"http.response.status_code": status})
            if not status or status >= 500:
                traced.fail(str(status or "no_response"))
            if route := getattr(scope.get("route"), "path_format", None):
                traced.rename(f"{method} {route}")
                traced.note({"http.route": route})
            call_id = scope.get("path_params", {}).get("call_id")
            if call_id and status != 404:  # else it is whatever somebody typed
                traced.note({"earshot.call_id": str(call_id)})
        return None
