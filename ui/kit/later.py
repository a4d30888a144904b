"""What nobody sees at first is built once the page stands in the browser: half of its elements, which would hold up the first paint."""

from collections.abc import Callable

from nicegui import ui
from nicegui.element import Element


def later(parent: Element, build: Callable[[], object]) -> None:
    """Has `build` fill `parent` when the browser is connected: once, for it connects anew after each break of the network."""
    left = [build]

    def fill() -> None:
        if left:
            with parent:
                left.pop()()

    ui.context.client.on_connect(fill)
