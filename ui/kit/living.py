"""A part of the page that follows what goes on elsewhere, for exactly as long as it is there."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from nicegui import background_tasks
from nicegui.element import Element

from services.support.signals import Signal
from ui.kit.markup import Box

T = TypeVar("T")
K = TypeVar("K")


class Living(Box):
    """A box with subscriptions and tasks of its own. They end when it is taken off the page, and when the page goes."""

    def __init__(self, tag: str = "div", classes: str = "", **props: Any) -> None:
        super().__init__(tag, classes, **props)
        self._ends: list[Callable[[], object]] = []
        self._work: set[asyncio.Task[None]] = set()

    def hear(self, signal: Signal[T], callback: Callable[[T], None]) -> None:
        """Has `callback` told of each value, on behalf of this page."""

        def heard(value: T) -> None:
            with self:
                callback(value)

        self._ends.append(signal.subscribe(heard))

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Runs `work` on behalf of this page until it is done or the box is gone."""
        task = background_tasks.create(work, name=name, context=self)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    def _handle_delete(self) -> None:
        for end in (*self._ends, *(task.cancel for task in self._work)):
            end()
        self._ends.clear()
        super()._handle_delete()


class Batch(Generic[K, T]):
    """Collects what changes by key, the latest of each, and hands it to `flush` together: at most once in `every` seconds.

    A browser has room for some ten updates of an element in a second; a call's partial words come faster than that.
    """

    def __init__(self, element: Element, flush: Callable[[dict[K, T]], None], *, every: float = 0.1) -> None:
        self._element = element
        self._flush = flush
        self._every = every
        self._waiting: dict[K, T] = {}
        self._flushed_at = float("-inf")

    def add(self, key: K, value: T) -> None:
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._flushed_at + self._every), self._hand_over)
        self._waiting[key] = value

    def _hand_over(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._flushed_at = asyncio.get_running_loop().time()
        if waiting and not self._element.is_deleted:
            with self._element:
                self._flush(waiting)
