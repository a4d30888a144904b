"""The webhooks that get Earshot's events, in the settings: those there are, and one more. A new one's secret is shown once."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import background_tasks, ui
from nicegui.events import GenericEventArguments

from services.domain.client import Scope
from services.domain.errors import EarshotError
from services.journal import EventKind
from services.webhooks_out.endpoints import LONGEST_URL, Endpoints
from ui.kit.given import fields_of
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor, visitor_may
from ui.settings.event_webhook import WebhookRow, chosen_kinds, kind_fields
from ui.words import say

_EMIT = """(event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  emit({url: given.get('url'), kinds: given.getAll('kind')});
}"""
_IF_OPEN = "(event) => emit(event.target.open)"
_REFRESH_S = 3.0


class EventWebhooksPanel:
    """Stands in the panel of the settings. While it is open it reads every 3 s what became of events, which any process sends."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._rows: dict[str, WebhookRow] = {}
        self._built = self._open = False
        self._reading: asyncio.Task[None] | None = None

    def build(self) -> None:
        """Adds it to the current element, for visitors who may manage webhooks."""
        if not visitor_may(Scope.MANAGE):
            return
        self._built, self._client = True, ui.context.client
        with Box("details", "settings-panel", data_testid="event-webhooks").on("toggle", self._toggle, js_handler=_IF_OPEN):
            Text("summary", say("event_webhooks"))
            Text("p", say("event_webhooks_explained"))
            with Box("form", autocomplete="off").on("submit", self._add, js_handler=_EMIT):
                with Box("label"):
                    Text("span", say("event_webhook_url"))
                    Box("input", type="url", name="url", required=True, maxlength=LONGEST_URL, data_testid="event-webhook-url")
                kind_fields(())
                Text("button", say("event_webhook_add"), "btn", type="submit", data_testid="event-webhook-add")
            self._notice = Notice()
            with Box("p", "made-token", role="status") as self._made:
                Text("span", say("event_webhook_made"))
                self._secret = Text("code", "", data_testid="event-webhook-secret")
            self._made.set_visibility(False)
            self._list = Box("ul")

    def settings_toggled(self, *, shown: bool) -> None:
        """Called when the settings open or close: a secret is not shown again, and nothing is read meanwhile."""
        if not self._built:
            return
        if shown:
            self._follow()
            return
        self._stop()
        self._secret.show("")
        self._made.set_visibility(False)
        self._notice.hide()

    async def refresh(self) -> None:
        """Shows the webhooks as they are now."""
        try:
            await self._show_all()
        except EarshotError as error:
            self._notice.show_error(error)

    async def _show_all(self) -> None:
        found = {endpoint.id: endpoint for endpoint in await self._endpoints.all()}
        for id_ in self._rows.keys() - found.keys():
            self._rows.pop(id_).delete()
        for id_, endpoint in found.items():
            if id_ not in self._rows:
                with self._list:
                    self._rows[id_] = WebhookRow(endpoint, self._endpoints, do=self._do)
            await self._rows[id_].show(endpoint)

    def _toggle(self, event: GenericEventArguments) -> None:
        self._open = bool(event.args)
        if self._open:
            self._follow()
        else:
            self._stop()

    def _follow(self) -> None:
        if self._open and self._reading is None:
            self._reading = background_tasks.create(self._read(), name="show webhooks", context=self._client)

    def _stop(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None

    async def _read(self) -> None:
        while not self._client.is_deleted:
            await self.refresh()
            await asyncio.sleep(_REFRESH_S)

    async def _add(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        self._notice.hide()

        async def add() -> None:
            kinds: list[EventKind] = chosen_kinds(given.get("kinds"))
            made = await self._endpoints.add(str(given.get("url") or ""), kinds, visitor())
            self._secret.show(made.secret)
            self._made.set_visibility(True)

        await self._do(add)

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does what was pressed, and shows what became of it."""
        self._notice.hide()
        try:
            await work()
        except EarshotError as error:
            self._notice.show_error(error)
        else:
            await self.refresh()
