"""Builds hidden parts only once the page is in the browser: half of all elements, which would delay the first paint."""

from collections.abc import Callable

from nicegui import ui
from nicegui.element import Element


def later(parent: Element, build: Callable[[], object]) -> None:
    """Runs `build` inside `parent` when the browser connects: once, although it reconnects after every network failure."""
    left = [build]

    def fill() -> None:
        if left:
            with parent:
                left.pop()()

    ui.context.client.on_connect(fill)
