"""The page: header, dialer, stage and call log, and the events that connect them with each other and with the desk."""

import asyncio
from collections.abc import Callable, Collection
from urllib.parse import quote

from nicegui import background_tasks, ui

from services.desk.desk import CallDesk
from services.dialling.switch import Switch
from services.doctor.going_live import GoingLive
from services.domain.call import Call, CallOrder
from services.domain.client import Scope
from services.domain.errors import CallNotFound, EarshotError
from services.listening.live_sound import LiveSound
from services.recording.recordings import Recordings
from services.settings import Settings
from services.support.root_path import address
from services.vapi.forwarding import WebhookForward
from services.webhooks_out.endpoints import Endpoints
from ui.call.stage import Stage
from ui.dial.contacts import Contacts
from ui.dial.dialer import Dialer
from ui.fleet.fleet import Fleet
from ui.fleet.view_switch import FEW, ViewSwitch
from ui.kit.following import follow
from ui.kit.later import later
from ui.kit.markup import Box
from ui.kit.notice import Notice
from ui.kit.visitor import visitor, visitor_may
from ui.log.call_log import CallLog
from ui.log.call_search import read_address
from ui.settings.rules import RulesDialog
from ui.settings.webhooks import unanswered_notice
from ui.shell.alerts import Alerts
from ui.shell.connection import Connection
from ui.shell.dial_questions import DialQuestions
from ui.shell.header import header
from ui.shell.safety import stopped_banner
from ui.shell.shortcuts import Palette, Present, Shortcuts
from ui.shell.tour import Tour
from ui.words import joined, say
from ui.words.faults import error_words


class DeskPage:
    """One browser tab. It follows the desk while the tab is open."""

    def __init__(
        self,
        *,
        desk: CallDesk,
        relay: LiveSound,
        recordings: Recordings,
        settings: Settings,
        switch: Switch,
        issue_ticket: Callable[[str], str],
        forward: WebhookForward,
        endpoints: Endpoints,
        going_live: GoingLive | None,
        call_id: str,
        to: str,
        moment_s: float | None,
    ) -> None:
        self._desk = desk
        self._changed: dict[str, Call] = {}
        self._shown: str | None = None
        self._addressed = call_id
        self._moment_s = moment_s
        self._demo = settings.demo
        client = self._client = ui.context.client
        self._fleet: Fleet | None = None
        self._chosen = bool(call_id or to)  # what this tab shows
        self._present = header(settings, desk=desk, switch=switch, forward=forward, endpoints=endpoints, views=self._add_views)
        with client.content.classes(replace="desk"):
            stopped_banner(switch)
            _show_missing(settings.missing)
            unanswered_notice(forward)
            if visitor_may(Scope.CALL):
                DialQuestions(desk)
            self._trouble = Notice(quiet=True)
            self._notice = Notice()
            example = say("example") if settings.demo else ""
            with Box(classes="columns") as self._columns:
                self._dialer = Dialer(desk=desk, to=to, example=example, placing=self._placing, placed=self._placed, failed=self._failed)
                self._stage = Stage(
                    desk=desk,
                    relay=relay,
                    recordings=recordings,
                    issue_ticket=issue_ticket,
                    dial_again=self._dialer.fill,
                    select=self._select,
                    sounds=self._mark_heard,
                    shows=self._can_present,
                    demo=settings.demo,
                    going_live=going_live,
                )
                self._log = CallLog(desk=desk, select=self._select, asked=read_address(client.request.query_params))
            self._fleet_place = Box()
            Connection(demo=settings.demo)
            later(Box(), self._hidden)
        self._show_trouble(desk.trouble)
        self._show_first(call_id, to)
        self._counted(self._view.look())
        follow(desk.changed, self._update)
        follow(desk.directory.changed, lambda _: self._dialer.refresh())
        follow(desk.contacts.changed, lambda _: self._rename())
        follow(desk.trouble_changed, self._show_trouble)

    def _can_present(self, can: bool) -> None:
        self._present.classes(remove="idle" if can else None, add=None if can else "idle")

    def _hidden(self) -> None:
        """What a key or a press opens."""
        Present()
        Shortcuts()
        Tour()
        Palette()
        Alerts(desk=self._desk, open_=self._open)
        if visitor_may(Scope.MANAGE):
            RulesDialog(desk=self._desk)
        if visitor_may(Scope.CALL):
            Contacts(desk=self._desk, use=self._dialer.fill, regions=self._dialer.regions)

    def _rename(self) -> None:
        """Contacts have changed, and so may the name on the stage."""
        if self._stage.card:
            self._stage.card.update(self._stage.card.call)

    def _show_first(self, call_id: str, to: str = "") -> None:
        """Shows the call that the address names, else the newest active one. A number in the address stays there."""
        if call := self._desk.get(call_id):
            self._show(call)
        elif call_id:
            background_tasks.create(self._look_up(call_id), name="look up call", context=self._client)
        elif running := next((call for call in self._desk.calls() if call.running), None):
            self._show(running, addressed=not to)

    async def _look_up(self, call_id: str) -> None:
        try:
            self._show(await self._desk.read(call_id, visitor()))
        except CallNotFound as error:
            # Usually because Earshot restarted while the page was open.
            title, _ = error_words(error)
            self._notice.show(title, say("forgotten_demo" if self._demo else "forgotten"))
        except EarshotError as error:
            self._notice.show_error(error)

    def _show(self, call: Call, *, listen: bool = False, addressed: bool = True) -> None:
        call = self._desk.get(call.id) or call  # it may have changed since it was placed or read, and not change again for long
        if addressed and call.id != self._addressed:  # so that a reload shows the same call
            self._addressed = call.id
            ui.navigate.history.replace(address(f"/?call={quote(call.id, safe='')}"))
        self._shown = call.id
        self._stage.show(call, listen=listen)
        if self._moment_s is not None and self._stage.card:  # of the call that the address names, which is shown first
            self._stage.card.show_moment(self._moment_s)
            self._moment_s = None
        self._log.mark_row(call.id)
        self._mark_heard()

    def _select(self, call_id: str) -> None:
        """Shows a call. An active one is heard at once, since the press allows sound; an ended one may have to be looked up."""
        self._chosen = True
        call = self._desk.get(call_id)
        if call is None:
            background_tasks.create(self._look_up(call_id), name="look up call", context=self._client)
        elif call.id != self._shown:
            self._show(call, listen=call.running)
        elif self._stage.card:
            self._stage.card.start_sound()

    def _add_views(self) -> None:
        self._view = ViewSwitch(desk=self._desk, choose=self._choose_view, counted=self._counted)

    def _choose_view(self, fleet: bool) -> None:
        self._chosen = True
        self._show_fleet(fleet)

    def _counted(self, calls: int) -> None:
        """Shows the fleet once there are many calls, but not to somebody who is at something else in this tab."""
        if calls >= FEW and not self._chosen and self._dialer.empty:
            self._chosen = True
            self._show_fleet(True)

    def _show_fleet(self, fleet: bool) -> None:
        if fleet and self._fleet is None:
            with self._fleet_place:
                hear = self._select if visitor_may(Scope.LISTEN) else None
                self._fleet = Fleet(desk=self._desk, open_=self._open, hear=hear, quiet=lambda _: self._quiet())
        elif self._fleet:
            self._fleet.activate(fleet)
        self._columns.set_visibility(not fleet)
        self._view.show(fleet=fleet)
        self._mark_heard()

    def _open(self, call_id: str) -> None:
        """From the fleet to the call, without another sound than before."""
        self._show_fleet(False)
        if (call := self._desk.get(call_id)) and call.id != self._shown:
            self._show(call)

    def _quiet(self) -> None:
        if self._stage.card:
            self._stage.card.stop_sound()

    def _mark_heard(self) -> None:
        card = self._stage.card
        if self._fleet:
            self._fleet.mark_card(card.call.id if card and card.listening else None)

    def _placing(self, order: CallOrder) -> None:
        """Shows the new call in the place of one that is over. An active one stays, and is heard, until the new one is placed."""
        if self._stage.card and self._stage.card.call.running:
            return
        self._shown = None
        self._stage.show_placing(order)
        self._log.mark_row(None)

    def _placed(self, call: Call) -> None:
        self._show(call, listen=True)

    def _failed(self) -> None:
        if self._stage.card:
            return
        self._stage.show_nothing()
        self._show_first("")

    def _update(self, call: Call) -> None:
        """Batches changes: one page update per loop turn, touching only the changed rows."""
        if not self._changed:
            asyncio.get_running_loop().call_soon(self._refresh)
        self._changed[call.id] = call

    def _refresh(self) -> None:
        changed, self._changed = self._changed, {}
        if self._client.is_deleted:
            return
        with self._client:
            for call in changed.values():
                self._log.refresh(call)
                self._stage.refresh(call)
            self._update_stage(changed)
            if any(call.erasure for call in changed.values()):
                self._dialer.read_recent()

    def _update_stage(self, changed: Collection[str]) -> None:
        card = self._stage.card
        shown = self._desk.get(card.call.id) if card else None
        if card is None or shown is None:
            return
        if shown.id != card.call.id:  # it was placed without a known id, and has now been found
            self._show(shown, listen=card.listen)
        elif shown.id in changed:
            card.update(shown)

    def _show_trouble(self, trouble: str | None) -> None:
        if trouble:
            self._trouble.show(say("trouble_title"), say("trouble"))
        else:
            self._trouble.hide()


def _show_missing(names: tuple[str, ...]) -> None:
    if names:
        Notice(lasting=True).show(say("missing_title"), say("missing", count=len(names), names=joined(names)))
