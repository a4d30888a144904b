"""A part of the page that follows signals while it is on the page."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from nicegui import background_tasks
from nicegui.element import Element

from services.support.signals import Signal
from ui.kit.markup import Box

T = TypeVar("T")
K = TypeVar("K")


class LiveBox(Box):
    """A box with subscriptions and tasks of its own. They end when the box or its page is removed."""

    def __init__(self, tag: str = "div", classes: str = "", **props: Any) -> None:
        super().__init__(tag, classes, **props)
        self._ends: list[Callable[[], object]] = []
        self._work: set[asyncio.Task[None]] = set()

    def subscribe(self, signal: Signal[T], callback: Callable[[T], None]) -> None:
        """Calls `callback` with each value of `signal`, in the context of this page."""

        def receive(value: T) -> None:
            with self:
                callback(value)

        self._ends.append(signal.subscribe(receive))

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Runs `work` in the context of this page until it is done or the box is removed."""
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
    """Collects the latest value of each key and passes them to `flush` together, at most once every `every_s` seconds.

    A browser copes with about ten updates of an element per second; a call's partial transcripts arrive faster than that.
    """

    def __init__(self, element: Element, flush: Callable[[dict[K, T]], None], *, every_s: float = 0.1) -> None:
        self._element = element
        self._flush = flush
        self._every_s = every_s
        self._waiting: dict[K, T] = {}
        self._flushed_at = float("-inf")

    def add(self, key: K, value: T) -> None:
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._flushed_at + self._every_s), self._pass_on)
        self._waiting[key] = value

    def _pass_on(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._flushed_at = asyncio.get_running_loop().time()
        if waiting and not self._element.is_deleted:
            with self._element:
                self._flush(waiting)
