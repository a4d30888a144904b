"""Log lines, one per record even if strangers put line breaks into it: logfmt for people, or JSON for log collectors.

Each line names the request that led to it, the call that it is about, and the trace that it belongs to, if there are any.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from services.support.rfc3339 import rfc3339
from services.support.traces import trace_id

FORMATS = ("logfmt", "json")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN = re.compile(r"[\w.:/-]+", re.ASCII)
_request: ContextVar[str] = ContextVar("request", default="")
_call: ContextVar[str] = ContextVar("call", default="")


@contextmanager
def logged_request(request_id: str, call_id: str = "") -> Iterator[None]:
    """Has what is logged meanwhile, also by tasks that are started meanwhile, name this request and the call that it asks for."""
    request, call = _request.set(request_id), _call.set(call_id)
    try:
        yield
    finally:
        _request.reset(request)
        _call.reset(call)


def request_id() -> str:
    """The id of the current request, empty outside of one."""
    return _request.get()


def about(call_id: str) -> dict[str, str]:
    """The `extra` of a record about this call."""
    return {"call": call_id}


class Logfmt(logging.Formatter):
    """`time=... level=... logger=... message="..." request=... call=... trace_id=...`; a traceback follows below its line, indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        message = _quoted(fields.pop("message"))
        rest = "".join(f" {name}={value if _PLAIN.fullmatch(value) else _quoted(value)}" for name, value in _ids(record).items())
        line = f"{' '.join(f'{name}={value}' for name, value in fields.items())} message={message}{rest}"
        below = self.formatException(record.exc_info).split("\n") if record.exc_info else []
        # An error's message may quote a stranger. Indented, it can't pass for a log line.
        return "".join([line, *(f"\n  {_escaped(part)}" for part in below)])


class JsonLines(logging.Formatter):
    """An object a line, in ASCII, with the fields of `Logfmt`; a traceback is the field `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record) | _ids(record)
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def log_to_stderr(form: str = "logfmt", level: int = logging.INFO) -> None:
    """Logs everything to stderr, in one of `FORMATS`. A later call replaces the format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else Logfmt())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL that it requests, twice a second


def _fields(record: logging.LogRecord) -> dict[str, str]:
    time = rfc3339(datetime.fromtimestamp(record.created, UTC))
    return {"time": time, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}


def _ids(record: logging.LogRecord) -> dict[str, str]:
    ids = {"request": _request.get(), "call": getattr(record, "call", "") or _call.get(), "trace_id": trace_id()}
    return {name: value for name, value in ids.items() if value}


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Text from outside must not start a log line of its own or control the terminal that shows it."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
