"""The settings in the header: colours, language, and log-out. The browser keeps them in cookies."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.lists.made_tokens import MadeTokens
from services.domain.client import Scope
from services.settings import Settings
from services.support.language import COOKIE as LANGUAGE_COOKIE
from services.support.language import THEME_COOKIE
from services.support.root_path import address
from services.support.words import catalogue, languages
from services.vapi.forwarding import WebhookForward
from services.webhooks_out.endpoints import Endpoints
from ui.kit.icons import icon
from ui.kit.later import later
from ui.kit.markup import Box, Text
from ui.kit.visitor import visitor_may
from ui.settings.api_tokens import ApiTokensPanel
from ui.settings.event_webhooks import EventWebhooksPanel
from ui.settings.number_deletion import NumberDeletion
from ui.settings.people import PeoplePanel
from ui.settings.phrases import PhrasesPanel
from ui.settings.rules import OPEN_RULES
from ui.settings.webhooks import webhook_settings
from ui.words import language, say

_KEEP = "document.cookie = `%s=${event.target.value};path=/;max-age=31536000;samesite=lax`;"
_SHOW = (
    "const {dataset} = document.documentElement;"
    "if (event.target.value === 'system') delete dataset.theme; else dataset.theme = event.target.value;"
)
_STATE = "(event) => emit(event.newState)"
# `leaving`: else this tab might go to the login page first, as those do whose session ended elsewhere.
_LOG_OUT = "() => { document.documentElement.dataset.leaving = ''; fetch('%s', {method: 'POST'}).finally(() => location.assign('%s')); }"


class Panel(Protocol):
    """A part of the settings."""

    def build(self) -> None: ...
    def settings_toggled(self, *, shown: bool) -> None: ...


def log_out_to(settings: Settings) -> str:
    """Where a logout leads: also out of the identity provider, if there is one; empty without a login."""
    return address("/login/over" if settings.oidc_issuer else "/login") if settings.has_login else ""


def preferences(
    *,
    log_out_to: str,
    forward: WebhookForward | None,
    tokens: MadeTokens | None,
    endpoints: Endpoints | None,
    desk: CallDesk | None,
    people: PeoplePanel | None,
) -> None:
    """The button and its panel. `log_out_to` is where a logout leads, empty without a login.

    `forward` is None if no webhooks are accepted. `tokens` are the API's, `endpoints` what gets events, `desk` has the quick phrases and
    the data of numbers; None for who may not change or delete them. So is `people`, also where nobody signs in with a name.
    """
    with Box("button", "btn quiet settings-button", type="button", popovertarget="settings", data_testid="settings"):
        icon("settings", 20)
        Text("span", say("settings"))
    panels: list[Panel] = [people] if people else []
    if tokens is not None:
        panels.append(ApiTokensPanel(tokens))
    if endpoints is not None:
        panels.append(EventWebhooksPanel(endpoints))
    if desk is not None:
        panels.append(PhrasesPanel(desk.phrases))
        panels.append(NumberDeletion(desk))

    def toggled(event: GenericEventArguments) -> None:
        for panel in panels:
            panel.settings_toggled(shown=event.args == "open")

    box = Box(classes="popover settings", id="settings", popover="auto").on("toggle", toggled, js_handler=_STATE)
    later(box, partial(_panel, panels, log_out_to=log_out_to, forward=forward))


def _panel(panels: Sequence[Panel], *, log_out_to: str, forward: WebhookForward | None) -> None:
    themes = {theme: say(f"theme_{theme}") for theme in ("system", "light", "dark")}
    chosen = ui.context.client.request.cookies.get(THEME_COOKIE, "")
    _choice("theme", themes, chosen if chosen in themes else "system", f"(event) => {{ {_KEEP % THEME_COOKIE} {_SHOW} }}")
    reload = f"(event) => {{ {_KEEP % LANGUAGE_COOKIE} location.reload(); }}"
    _choice("language", {tag: catalogue(tag).name for tag in languages()}, language(), reload)
    if forward:
        webhook_settings(forward)
    if visitor_may(Scope.MANAGE):
        Text("button", say("rules"), "btn rules-button", type="button").on("click", js_handler=OPEN_RULES)
        Text("a", say("audit_link"), "export", href=address("/audit"), data_testid="settings-audit")
    for panel in panels:
        panel.build()
    if log_out_to:
        log_out = _LOG_OUT % (address("/logout"), log_out_to)
        Text("button", say("log_out"), "btn leave", type="button").on("click", js_handler=log_out)


def _choice(name: str, options: Mapping[str, str], chosen: str, handler: str) -> None:
    with Box("fieldset", "choice").on("change", js_handler=handler):
        Text("legend", say(name))
        with Box(classes="choices"):
            for value, text in options.items():
                with Box("label"):
                    Box("input", type="radio", name=name, value=value, checked=value == chosen or None)
                    Text("span", text)
