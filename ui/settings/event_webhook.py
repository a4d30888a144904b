"""One webhook in the settings: which events it gets, whether it is disabled, and the log of what it was sent."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from urllib.parse import urlsplit

from nicegui.events import GenericEventArguments

from services.journal import Delivery, DeliveryState, Endpoint, EventKind
from services.webhooks_out.endpoints import Endpoints
from ui.kit.given import repeats
from ui.kit.markup import Box, Text
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor
from ui.words import say

_LOGGED = 20  # events
_EMIT_KINDS = "(event) => { event.preventDefault(); emit(new FormData(event.target).getAll('kind')); }"
_IF_OPEN = "(event) => emit(event.target.open)"
_STATES = {
    DeliveryState.WAITING: "delivery_waiting",
    DeliveryState.DELIVERED: "delivery_delivered",
    DeliveryState.FAILED: "delivery_failed",
}
_PROBLEMS = {problem: f"delivery_{problem}" for problem in ("no_answer", "unreachable", "private_address", "no_body")}

Do = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


def kind_fields(chosen: Collection[EventKind]) -> None:
    """A box to check for each kind of event."""
    with Box("fieldset"):
        Text("legend", say("event_webhook_events"))
        for kind in EventKind:
            with Box("label"):
                Box("input", type="checkbox", name="kind", value=kind.value, checked=kind in chosen or None)
                Text("code", kind.value)


def chosen_kinds(given: object) -> list[EventKind]:
    """What was checked."""
    return [kind for kind in EventKind if kind in given] if isinstance(given, list) else []


class WebhookRow(Box):
    """`do` runs what is pressed, shows an error, and then has all rows shown again."""

    def __init__(self, endpoint: Endpoint, endpoints: Endpoints, *, do: Do) -> None:
        super().__init__("li", data_testid="event-webhook")
        self._endpoints = endpoints
        self._id = endpoint.id
        self._do = do
        self._logging = False
        self._sure = False
        self._shown: Sequence[Delivery] | None = None
        with self:
            Text("b", urlsplit(endpoint.url).hostname or "")
            self._kinds = Text("span", data_testid="event-webhook-kinds")
            with Box("span") as self._waiting:
                self._count = Text("span")
                self._since = LocalTime(brief=True)
            with Box("span", "webhook-disabled") as self._disabled:
                Text("span", say("event_webhook_disabled"))
                self._disabled_at = LocalTime(brief=True)
            self._edit(endpoint)
            with Box("details", data_testid="event-webhook-log").on("toggle", self._toggle_log, js_handler=_IF_OPEN):
                Text("summary", say("event_webhook_log"))
                self._log = Box("ul", "deliveries")
            with Box(classes="webhook-buttons"):
                self._enable = self._button("event_webhook_enable", lambda: endpoints.enable(self._id, visitor()))
                self._disable = self._button("event_webhook_disable", lambda: endpoints.disable(self._id, visitor()))
                self._delete = Text("button", say("delete"), "btn", type="button", data_testid="event-webhook-delete")
                self._delete.on("click", self._press_delete, args=["detail"]).on("blur", lambda: self._ask(False))

    async def show(self, endpoint: Endpoint) -> None:
        """Updates to a changed webhook. Raises JournalError."""
        self._kinds.show(", ".join(endpoint.kinds) or say("event_webhook_all"))
        self._waiting.set_visibility(endpoint.waiting > 0)
        self._count.show(say("event_webhook_waiting", count=endpoint.waiting))
        self._since.show(endpoint.waiting_since)
        self._disabled.set_visibility(endpoint.disabled_at is not None)
        self._disabled_at.show(endpoint.disabled_at)
        self._enable.set_visibility(endpoint.disabled_at is not None)
        self._disable.set_visibility(endpoint.disabled_at is None)
        if self._logging:
            await self._show_log()

    def _edit(self, endpoint: Endpoint) -> None:
        with Box("details", data_testid="event-webhook-events"):
            Text("summary", say("event_webhook_choose"))
            with Box("form").on("submit", self._choose, js_handler=_EMIT_KINDS):
                kind_fields(endpoint.kinds)
                Text("button", say("event_webhook_save"), "btn small", type="submit")

    def _button(self, words: str, work: Callable[[], Awaitable[object]]) -> Text:
        return Text("button", say(words), "btn", type="button").on("click", lambda: self._do(work))

    async def _choose(self, event: GenericEventArguments) -> None:
        await self._do(lambda: self._endpoints.choose(self._id, chosen_kinds(event.args), visitor()))

    async def _press_delete(self, event: GenericEventArguments) -> None:
        if repeats(event):
            return
        if self._sure:
            await self._do(lambda: self._endpoints.remove(self._id, visitor()))
        else:
            self._ask(True)

    def _ask(self, sure: bool) -> None:
        self._sure = sure
        self._delete.show(say("event_webhook_delete_sure" if sure else "delete"))
        self._delete.classes(replace="btn end" if sure else "btn")

    async def _toggle_log(self, event: GenericEventArguments) -> None:
        self._logging = bool(event.args)
        if self._logging:
            await self._do(self._show_log)

    async def _show_log(self) -> None:
        """Builds the log anew only if it changed, so that a button in it keeps the focus."""
        found = await self._endpoints.deliveries(self._id, _LOGGED)
        if found == self._shown:
            return
        self._shown = found
        self._log.clear()
        with self._log:
            for sent in found:
                with Box("li", data_testid="delivery"):
                    self._delivery(sent)
            if not found:
                Text("li", say("event_webhook_log_none"))

    def _delivery(self, sent: Delivery) -> None:
        with Box("span"):
            Text("code", sent.kind.value)
            LocalTime(sent.at)
        answer = str(sent.status or "") or (say(_PROBLEMS[sent.problem]) if sent.problem in _PROBLEMS else sent.problem)
        attempts = say("delivery_attempts", count=sent.attempts) if sent.attempts else ""
        outcome = " · ".join(filter(None, (say(_STATES[sent.state]), answer, attempts)))
        Text("span", outcome, f"delivery-{sent.state.value}")
        if sent.state is DeliveryState.WAITING:
            with Box("span"):
                Text("span", say("delivery_next") if sent.next_at else say("delivery_behind"))
                if sent.next_at:
                    LocalTime(sent.next_at)
        else:
            again = Text("button", say("delivery_again"), "btn small", type="button")
            again.on("click", lambda: self._do(lambda: self._endpoints.again(self._id, sent.id, visitor())))
