"""A page hears of what changes for as long as it is there, and speaks its own language while it does."""

from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from services.support.signals import Signal

T = TypeVar("T")


def follow(signal: Signal[T], hear: Callable[[T], None]) -> None:
    """Subscribes the current page. A signal comes from elsewhere, so `hear` would not know on whose page it runs."""
    client = ui.context.client

    def heard(value: T) -> None:
        with client:
            hear(value)

    client.on_delete(signal.subscribe(heard))
