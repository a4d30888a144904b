"""Subscriptions of a page, which end with it."""

from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from services.support.signals import Signal

T = TypeVar("T")


def follow(signal: Signal[T], receive: Callable[[T], None]) -> None:
    """Calls `receive` with each value of `signal`, in the context of the current page, until the page is closed."""
    client = ui.context.client

    def in_context(value: T) -> None:
        with client:
            receive(value)

    client.on_delete(signal.subscribe(in_context))
