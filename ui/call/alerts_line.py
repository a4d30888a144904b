"""The alerts of a call, under its state."""

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.call import Call
from services.domain.rule import Effect
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text
from ui.kit.times import LocalTime
from ui.words import say
from ui.words.alerts import alert_words


class AlertsLine(LiveBox):
    """Hidden while there are none. Whatever the rule's effects are, an ended call shows all."""

    def __init__(self, call: Call, *, desk: CallDesk) -> None:
        super().__init__("ul", "alerts", aria_label=say("alerts"), data_testid="alerts")
        self._call = call
        self._desk = desk
        self._shown: list[Alert] = []
        self.set_visibility(False)
        self.subscribe(desk.alerts.raised, self._on_alert)
        self.start(self._load(), name="read alerts")
        self._show()

    def refresh(self, call: Call) -> None:
        """Updates to a changed call: whose data may have been deleted."""
        self._call = call
        self._show()

    def _on_alert(self, alert: Alert) -> None:
        if alert.call_id == self._call.id:
            self._show()

    async def _load(self) -> None:
        await self._desk.alerts.load([self._call.id])
        self._show()

    def _show(self) -> None:
        running = self._call.running
        shown = [alert for alert in self._desk.alerts.of(self._call.id) if not running or Effect.BADGE in alert.rule.effects]
        if shown == self._shown:
            return
        self._shown = shown
        self.set_visibility(bool(shown))
        self.clear()
        with self:
            for alert in shown:
                with Box("li", "pill alerted", title=alert.said or None):
                    Text("span", alert_words(alert))
                    LocalTime(alert.at, brief=True)
