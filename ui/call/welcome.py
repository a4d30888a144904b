"""The stage without a call: what Earshot does, scenes of the demo line to try, and the steps to real calls."""

import random
from collections.abc import Callable, Mapping, Sequence
from html import escape
from types import MappingProxyType

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.doctor.going_live import GoingLive
from services.domain.client import Scope
from services.settings import CREDENTIALS
from ui.call.go_live import GoLiveForm
from ui.kit.given import text_of
from ui.kit.markup import Box, Text, set_props
from ui.kit.visitor import visitor_may
from ui.words import say

SCENES: Mapping[str, str] = MappingProxyType(
    {
        "answered": "+14155552671",
        "busy": "+12025550101",
        "nobody": "+12025550102",
        "voicemail": "+12025550103",
        "drops": "+12025550104",
        "transfer": "+442079460958",
    }
)
"""The scenes, each with the number whose call shows it on the demo line."""

_STEPS = MappingProxyType(dict(zip(CREDENTIALS, ("step_key", "step_assistant", "step_number"), strict=True)))
# Also noted, for a tour that is loaded only after the press.
_TOUR = "() => { document.body.dataset.tour = 'wanted'; document.dispatchEvent(new Event('earshot-tour')); }"
_EMIT_SCENE = "(event) => { const card = event.target.closest('[data-scene]'); if (card) emit(card.dataset.scene); }"
_DEMO_COMMAND = f"{' '.join(f'{name}=' for name in CREDENTIALS)} PORT=8081 .venv/bin/python main.py"


def welcome(*, demo: bool, missing: Sequence[str], fill: Callable[[str], None], going_live: GoingLive | None = None) -> None:
    """`fill` puts a number into the dialer; nothing here dials. `missing` names the credentials that are absent while others are set.

    With `going_live` the steps can be done here.
    """
    with Box(classes="invitation"):
        if not missing:  # then the steps come first
            ui.html(_drawing(), sanitize=False).classes("drawing")
        Text("h2", say("empty_title"))
        Text("p", say("empty"))
        Text("button", say("tour_start"), "link", type="button", data_testid="tour-start").on("click", js_handler=_TOUR)
        if demo and visitor_may(Scope.CALL):
            _offer_scenes(fill)
            with Box("details", "go-live"):
                Text("summary", say("live_steps"))
                _show_steps(CREDENTIALS, going_live)
        elif missing:
            with Box(classes="go-live"):
                Text("h3", say("live_steps"))
                _show_steps(missing, going_live)
                Text("h3", say("demo_meanwhile"))
                Text("p", say("demo_meanwhile_how"))
                Text("code", _DEMO_COMMAND, "command")


# Scenes and steps are one element each, since every page visit builds them: as elements of their own they would be 40.


def _offer_scenes(fill: Callable[[str], None]) -> None:
    def choose(event: GenericEventArguments) -> None:
        if number := SCENES.get(text_of(event)):
            fill(number)

    cards = "".join(
        f'<button type="button" class="scene {scene}" data-scene="{scene}">'
        f"<b>{escape(say(f'scene_{scene}'))}</b><span>{escape(say(f'scene_{scene}_shows'))}</span></button>"
        for scene in SCENES
    )
    scenes = ui.html(cards, sanitize=False).classes("scenes").on("click", choose, js_handler=_EMIT_SCENE)
    set_props(scenes, role="group", aria_label=say("scenes"), data_testid="scenes")


def _show_steps(missing: Sequence[str], going_live: GoingLive | None) -> None:
    with Box() as place:
        ui.html(_steps(missing), sanitize=False)
        if going_live is None:
            return

        def open_form() -> None:
            place.clear()
            with place:
                GoLiveForm(going_live)

        Text("button", say("set_up_here"), "btn", type="button", data_testid="set-up-here").on("click", open_form)


def _steps(missing: Sequence[str]) -> str:
    """Each variable with what it is for, marked as set or not; then what is done once all are set."""
    steps = ""
    for name in CREDENTIALS:
        done = name not in missing
        mark = escape(say("step_set" if done else "step_open"))
        steps += (
            f'<li class="{"done" if done else "todo"}"><div><span>{escape(say(_STEPS[name]))}</span>'
            f'<small><code>{name}</code><span class="set">{mark}</span></small></div></li>'
        )
    steps += "".join(f'<li class="todo"><span>{escape(say(step))}</span></li>' for step in ("step_env", "step_call"))
    return f'<ol class="live-steps">{steps}</ol>'


def _drawing() -> str:
    """Two people taking turns, drawn like the lanes of a call: the latest speech is the clearest."""
    even = random.Random(7)  # noqa: S311 - a picture, the same each time
    lanes = []
    for speaker, middle, turns in (("customer", 26, ((16, 30), (50, 58))), ("assistant", 78, ((2, 14), (32, 47), (60, 70)))):
        tall = (2.7 + 17 * even.random() if any(first <= bar <= last for first, last in turns) else 0.1 for bar in range(72))
        bars = "".join(f"M{5 * bar + 1.3:g} {middle - half:.1f}v{2 * half:.1f}" for bar, half in enumerate(tall))
        stops = '<stop stop-opacity=".3"/><stop offset="1"/>'
        lanes.append(
            f'<g class="{speaker}"><linearGradient id="{speaker}-lane" gradientUnits="userSpaceOnUse" x2="360">{stops}</linearGradient>'
            f'<path stroke="url(#{speaker}-lane)" d="{bars}"/></g>'
        )
    return f'<svg viewBox="0 0 360 104" aria-hidden="true">{"".join(lanes)}</svg>'
