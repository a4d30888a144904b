"""Checks what comes through the sockets of pages before NiceGUI reads it.

NiceGUI relies on the shape of a message: any other one would put a traceback into the log. Our own scripts send none of these.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import isawaitable
from typing import Any

from nicegui import Client, core, json

log = logging.getLogger(__name__)

_SHAPES: dict[str, dict[str, type]] = {
    "handshake": {"client_id": str, "tab_id": str, "document_id": str},
    "event": {"client_id": str, "id": int, "listener_id": str},
    "javascript_response": {"client_id": str, "request_id": str},
    "ack": {"client_id": str, "next_message_id": int},
    "log": {"client_id": str, "level": str, "message": str},
}
"""The kinds of messages, and the fields that NiceGUI reads of each."""

_LEVELS = ("debug", "info", "warning", "error")


def install_message_checks() -> None:
    """Lets only messages that NiceGUI's handlers can read reach them. Takes effect once per process."""
    handlers = core.sio.handlers["/"]
    for kind in _SHAPES:
        if not hasattr(handlers[kind], "__wrapped__"):
            handlers[kind] = _checked(kind, handlers[kind])


def _checked(kind: str, handler: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @wraps(handler)
    async def handle(socket_id: str, *given: object) -> Any:
        message = given[0] if len(given) == 1 else None
        if not isinstance(message, dict) or not _readable(kind, message):
            log.warning("dropped a page's message that can't be read (%s)", kind)
            return None
        answer = handler(socket_id, message)
        return await answer if isawaitable(answer) else answer

    return handle


def _readable(kind: str, message: Mapping[str, Any]) -> bool:
    if any(not isinstance(message.get(name), expected) for name, expected in _SHAPES[kind].items()):
        return False
    if kind == "event":
        return _has_listener(message) and _has_json(message.get("args", []))
    if kind == "handshake":
        return isinstance(message.get("next_message_id"), int | None) and isinstance(message.get("old_tab_id"), str | None)
    return kind != "log" or message["level"] in _LEVELS


def _has_listener(message: Mapping[str, Any]) -> bool:
    """False if the element is there but has no such listener. If the element is gone by now, NiceGUI ignores the event."""
    client = Client.instances.get(message["client_id"])
    element = client.elements.get(message["id"]) if client else None
    return element is None or message["listener_id"] in element._event_listeners


def _has_json(args: object) -> bool:
    """True for a list of JSON texts that can also be written as JSON: deeply nested JSON can be read but not written."""
    if not isinstance(args, list):
        return False
    try:
        for arg in args:
            if arg is not None:
                json.dumps(json.loads(arg))
    except (TypeError, ValueError):
        return False
    return True
