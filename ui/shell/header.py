"""The header: name, mode (demo line or live), stop switch and settings."""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from services.desk.desk import CallDesk
from services.dialling.switch import Switch
from services.domain.client import Scope
from services.settings import CREDENTIALS, Settings
from services.vapi.forwarding import WebhookForward
from services.webhooks_out.endpoints import Endpoints
from ui.kit.icons import icon
from ui.kit.later import later
from ui.kit.markup import Box, Text
from ui.kit.visitor import visitor_controls_all, visitor_may
from ui.settings.people import PeoplePanel
from ui.settings.preferences import log_out_to, preferences
from ui.settings.rules import OPEN_RULES
from ui.shell.safety import safety_controls
from ui.words import say

_PRESENT = "() => document.dispatchEvent(new CustomEvent('earshot-present'))"
_OPEN_PALETTE = "() => document.dispatchEvent(new CustomEvent('earshot-palette'))"


def header(
    settings: Settings, *, desk: CallDesk, switch: Switch, forward: WebhookForward, endpoints: Endpoints, views: Callable[[], object]
) -> Box:
    """Placed before `<main>`, where assistive technology expects a banner. `views` builds the switch between call and fleet.

    Returns the button that presents the call: `idle` while there is none.
    """
    mode = "not_ready" if settings.missing else "demo_line" if settings.demo else "live"
    with ui.context.client.layout, Box("header", "banner") as banner:
        with Box("h1", "mark"):
            icon("mark", 24)
            Text("span", say("product"))
        if settings.missing:
            _pill(mode)
        else:
            _pill(mode, popovertarget="mode")
            later(Box(classes="popover", id="mode", popover="auto"), partial(_explain, demo=settings.demo))
        views()
        with Box("button", "pill find", type="button", title=say("palette_title"), aria_haspopup="dialog").on(
            "click", js_handler=_OPEN_PALETTE
        ):
            Text("span", say("palette_title"))
            Text("kbd", "Ctrl K")
        with Box("button", "btn quiet present idle", type="button", data_testid="present").on("click", js_handler=_PRESENT) as present:
            Text("span", say("present"))
            Text("kbd", "P")
        if visitor_may(Scope.MANAGE):
            with Box("button", "btn quiet to-rules", type="button", title=say("rules"), data_testid="rules") as rules:
                icon("bell", 20)
                Text("span", say("rules"), "sr-only")
            rules.on("click", js_handler=OPEN_RULES)
        if visitor_controls_all() or visitor_may(Scope.MANAGE):
            safety_controls(desk=desk, switch=switch)
        accepts = settings.webhook_secret or settings.webhook_hmac_key
        owner = visitor_may(Scope.MANAGE)
        preferences(
            log_out_to=log_out_to(settings),
            forward=forward if accepts and owner else None,
            tokens=desk.tokens if owner else None,
            endpoints=endpoints if owner else None,
            desk=desk if owner else None,
            people=PeoplePanel(desk.people, invites=settings.people) if owner and (settings.people or desk.people.all()) else None,
        )
    banner.move(target_index=0)
    with ui.context.client.layout:
        Text("a", say("skip"), "skip", href="#dial-number").move(target_index=0)
    return present


def _pill(mode: str, **props: str) -> None:
    with Box("button" if props else "span", f"pill {mode}", **({"type": "button"} | props if props else {})):
        Box("i", "dot")
        Text("b", say(mode))
        Text("span", say(f"{mode}_short"), "hide")


def _explain(*, demo: bool) -> None:
    Text("strong", say("demo_title" if demo else "live_title"))
    Text("p", say("demo_explained" if demo else "live_explained"))
    if demo:
        Text("p", say("go_live"))
        with Box("ul", "names"):
            for name in CREDENTIALS:
                with Box("li"):
                    Text("code", name)
