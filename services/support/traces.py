"""OpenTelemetry traces, if they are wanted: otherwise nothing of its SDK is imported, and a span costs one comparison.

Spans name requests by their route, calls by their id, and errors by their code. Numbers, words, tokens and URLs never become attributes.
Exceptions are not recorded, since their messages may quote one.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from services.domain.errors import EarshotError
from services.support.version import VERSION

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SpanExporter

Attributes = Mapping[str, str | int | float | bool]
KindOfSpan = Literal["internal", "server", "client"]

EXPORTERS = ("otlp", "console", "none")
_FLUSH_S = 3.0  # how long the end of the process waits for the last spans to be exported


class TracesUnavailable(Exception):
    """Traces are wanted, but OpenTelemetry's SDK is not installed."""


class Span:
    """A piece of work in a trace. This base class belongs to no trace and does nothing."""

    def note(self, attributes: Attributes) -> None:
        """Adds attributes."""

    def rename(self, name: str) -> None:
        """Replaces the name."""

    def fail(self, error: str) -> None:
        """Marks the work as failed. `error` is a code or the name of a class, never a message."""


class _TracedSpan(Span):
    def __init__(self, span: "trace.Span") -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_status(StatusCode.ERROR)
        self._span.set_attribute("error.type", error)


_OFF: AbstractContextManager[Span] = nullcontext(Span())
_tracing: "_Tracing | None" = None


def span(name: str, *, kind: KindOfSpan = "internal", parent: str = "") -> AbstractContextManager[Span]:
    """A span for the time of the block. What is done within it, also by tasks that it starts, belongs to its trace.

    `parent` is a W3C `traceparent` header, which is ignored if it is invalid. An exception marks the span as failed.
    """
    return _OFF if _tracing is None else _tracing.span(name, kind, parent)


def add_span(name: str, seconds: float, attributes: Attributes, *, kind: KindOfSpan = "internal", error: str = "", alone: bool) -> None:
    """Adds a span for work that has just ended, after so many seconds. If it belongs to no trace, it begins one only if `alone`."""
    if _tracing is not None:
        _tracing.add(name, seconds, attributes, kind, error, alone)


def trace_id() -> str:
    """The id of the current trace in hexadecimal digits, empty without one."""
    return "" if _tracing is None else _tracing.trace_id()


def start_traces(exporter: str) -> None:
    """Exports spans from now on: `otlp` to a collector as the environment's standard variables say, `console` to stdout.

    Raises TracesUnavailable.
    """
    global _tracing
    try:
        _tracing = _Tracing(exporter)
    except ImportError as error:
        raise TracesUnavailable(f"OpenTelemetry's SDK is not installed ({error.name}).") from None


def stop_traces() -> None:
    """Exports the remaining spans. Blocks for a few seconds at most."""
    global _tracing
    if _tracing is not None:
        stopping, _tracing = _tracing, None
        stopping.close()


class _Tracing:
    def __init__(self, exporter: str) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        def otlp() -> "SpanExporter":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()

        os.environ.setdefault("OTEL_SERVICE_NAME", "earshot")
        # Not made the global one: FastAPI would find it and trace each request a second time, with its query.
        self._provider: TracerProvider = TracerProvider(resource=Resource.create({"service.version": VERSION}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter() if exporter == "console" else otlp()))
        self._tracer = self._provider.get_tracer("earshot", VERSION)
        self._trace = trace
        self._kinds = {"internal": trace.SpanKind.INTERNAL, "server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT}
        self._parents = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, kind: KindOfSpan, parent: str) -> Iterator[Span]:
        context = self._parents.extract({"traceparent": parent}) if parent else None
        begun = self._tracer.start_span(name, context, self._kinds[kind])
        traced = _TracedSpan(begun)
        with self._trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield traced
            except BaseException as error:
                traced.fail(error.code if isinstance(error, EarshotError) else type(error).__name__)
                raise

    def add(self, name: str, seconds: float, attributes: Attributes, kind: KindOfSpan, error: str, alone: bool) -> None:
        if not (alone or self._trace.get_current_span().get_span_context().is_valid):
            return
        ended = time.time_ns()
        span = self._tracer.start_span(
            name, kind=self._kinds[kind], attributes=attributes, start_time=ended - round(1e9 * seconds), record_exception=False
        )
        if error:
            _TracedSpan(span).fail(error)
        span.end(ended)

    def trace_id(self) -> str:
        found = self._trace.get_current_span().get_span_context()
        return f"{found.trace_id:032x}" if found.is_valid else ""

    def close(self) -> None:
        # A thread that may stay behind: the exporter goes on for up to 30 s if its collector does not answer.
        last = threading.Thread(target=self._provider.shutdown, name="export last spans", daemon=True)
        last.start()
        last.join(_FLUSH_S)
