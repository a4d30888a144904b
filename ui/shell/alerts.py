"""Alerts that somebody should notice wherever they are: the Python side of alerts.js."""

from collections.abc import Callable

from nicegui.element import Element

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.rule import Effect
from ui.kit.following import follow
from ui.kit.given import text_of
from ui.kit.markup import set_props
from ui.words import say
from ui.words.alerts import alert_words
from ui.words.calls import masked, who

_WORDS = {"open": "alert_open", "dismiss": "dismiss", "allow": "alert_allow", "title": "alerts"}


class Alerts(Element, component="alerts.js", dependencies=["../kit/tab_title.js"]):
    """Shows an alert on top of the page, as notification of the browser and by a sound, as its rule says. `open_` is called with the id of
    the call that somebody wants to see."""

    def __init__(self, *, desk: CallDesk, open_: Callable[[str], None]) -> None:
        super().__init__()
        self._desk = desk
        set_props(self, words={key: say(name) for key, name in _WORDS.items()})
        self.on("open", lambda event: open_(text_of(event)))
        follow(desk.alerts.raised, self._on_alert)

    def _on_alert(self, alert: Alert) -> None:
        effects = alert.rule.effects
        call = self._desk.get(alert.call_id)
        if call is None or not effects & {Effect.NOTIFICATION, Effect.SOUND}:
            return
        self.run_method(
            "raise",
            {
                "key": " ".join(alert.key),
                "call": call.id,
                "who": who(self._desk, call),
                "masked": masked(call),  # while the page is shown to a room
                "what": alert_words(alert),
                "notify": Effect.NOTIFICATION in effects,
                "sound": Effect.SOUND in effects,
            },
        )
