"""The stop switch in the header, and the banner shown while dialling is stopped."""

from services.desk.desk import CallDesk
from services.dialling.switch import Stop, Switch
from ui.kit.following import follow
from ui.kit.icons import icon
from ui.kit.later import later
from ui.kit.markup import Box, Text
from ui.shell.safety_panel import SafetyPanel, StoppedBy
from ui.words import say


def safety_controls(*, desk: CallDesk, switch: Switch) -> None:
    """The button and its panel, for the end of the header. They follow the desk and the switch while the page is open."""
    _StopSwitch(desk=desk, switch=switch)


class _StopSwitch:
    def __init__(self, *, desk: CallDesk, switch: Switch) -> None:
        self._desk = desk
        self._switch = switch
        self._panel: SafetyPanel | None = None
        with Box("button", "pill brake", type="button", popovertarget="safety", data_testid="safety") as self._pill:
            icon("stop", 16)
            self._text, self._short = Text("b", "", "wide"), Text("b", "", "narrow")
        later(Box(classes="popover safety", id="safety", popover="auto").on("toggle", self._opened), self._fill)
        self._show(switch.state)
        follow(switch.changed, self._show)

    def _show(self, stop: Stop | None) -> None:
        brake = "brake_stopped" if stop else "brake"
        self._text.show(say(brake))
        self._short.show(say(f"{brake}_short"))
        self._pill.classes(replace="pill brake stopped" if stop else "pill brake")

    def _fill(self) -> None:
        self._panel = SafetyPanel(desk=self._desk, switch=self._switch)
        follow(self._switch.changed, self._panel.show_switch)
        follow(self._desk.changed, self._panel.show_calls)

    def _opened(self) -> None:
        if self._panel:
            self._panel.reset()


def stopped_banner(switch: Switch) -> None:
    """For the top of the page's content. It follows the switch while the page is open."""
    banner = _StoppedBanner()
    banner.show(switch.state)
    follow(switch.changed, banner.show)


class _StoppedBanner(Box):
    """Who stopped dialling, when and why. Hidden while dialling is allowed."""

    def __init__(self) -> None:
        super().__init__(classes="notice stopped", role="alert")
        self._by: StoppedBy | None = None

    def show(self, stop: Stop | None) -> None:
        self.set_visibility(stop is not None)
        if stop:
            self._by = self._by or self._build()
            self._by.show(stop)

    def _build(self) -> StoppedBy:
        with self:
            icon("alert", 20)
            with Box(classes="notice-text"):
                Text("strong", say("dialling_stopped"))
                Text("span", say("dialling_stopped_explained"))
                return StoppedBy()
