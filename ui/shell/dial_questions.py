"""The calls that an assistant asks for: one notice each at the top of every open page, with "Call" and "Refuse"."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.placing.dial_question import DialQuestion
from services.domain.errors import EarshotError
from services.domain.phone_number import region_name
from ui.kit.following import follow
from ui.kit.icons import icon
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.press import came_late
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor
from ui.words import language, say
from ui.words.calls import named

_CLOCKS = "() => emit([Date.now(), performance.now()])"
_LOOK_S = 5.0  # between looks whether a question's time is over


class DialQuestions:
    """Follows the questions of all processes while the page is open. Nothing can be asked while no page is."""

    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk
        self._boxes: dict[str, Box] = {}
        client = ui.context.client
        self._place = Box(classes="dial-questions")
        self._notice = Notice()
        self._timer: ui.timer | None = None
        self._show()
        follow(desk.questions.changed, lambda _: self._show())
        client.on_delete(desk.questions.watch(lambda: client.has_socket_connection))
        client.on_connect(self._begin)

    def _begin(self) -> None:
        """The page shows the questions from now on, and the processes that asked them learn of it."""
        self._desk.questions.look()
        self._show()

    def _show(self) -> None:
        waiting = {question.id: question for question in self._desk.questions.waiting()}
        for question_id in self._boxes.keys() - waiting.keys():
            self._boxes.pop(question_id).delete()
        with self._place:
            for question in waiting.values():
                if question.id not in self._boxes:
                    self._boxes[question.id] = self._build(question)
        if self._boxes and not self._timer:
            with self._place:
                self._timer = ui.timer(_LOOK_S, self._show)
        elif self._timer and not self._boxes:
            self._timer.cancel()
            self._timer = None

    def _build(self, question: DialQuestion) -> Box:
        order = question.load_order()
        country = region_name(order.region, language())
        assistant = self._desk.directory.speaker_name(order)
        number = named(self._desk, order.sip_uri or order.to)
        where = "_in" if country else ""
        with Box("section", "notice", role="alert", data_testid="dial-question") as box:
            icon("call", 20)
            with Box(classes="notice-text"):
                Text("strong", say(f"asks_to_call{where}", client=question.client, number=number, country=country))
                Text("span", say("asks_as", assistant=assistant) if assistant else "")
                Text("span", say("asks_to_say", text=opening) if (opening := order.own_opening) else "")
                if order.earliest_at:
                    with Box("span", data_testid="dial-time"):
                        Text("span", say("scheduled_for"))
                        LocalTime(order.earliest_at, full=True)
                if order.recording_agreed:
                    Text("span", say("asks_recorded", client=question.client))
            Text("button", say("call"), "btn go", type="button", data_testid="dial-agree").on(
                "click", self._answering(question, agree=True), js_handler=_CLOCKS
            )
            Text("button", say("refuse"), "btn", type="button", data_testid="dial-refuse").on(
                "click", self._answering(question, agree=False), js_handler=_CLOCKS
            )
        return box

    def _answering(self, question: DialQuestion, *, agree: bool) -> Callable[[GenericEventArguments], Awaitable[None]]:
        answering = False

        async def press(event: GenericEventArguments) -> None:
            nonlocal answering
            if answering:
                return  # a double click: nobody else was faster. "Refuse" after "Call" is another button, and counts.
            answering = True
            try:
                await answer(event)
            finally:
                answering = False

        async def answer(event: GenericEventArguments) -> None:
            self._notice.hide()
            if agree and await came_late(event.client, event.args):
                self._notice.show(say("late_title"), say("late"))
                return
            try:
                await self._desk.questions.answer(question.id, visitor(), agree=agree)
            except EarshotError as error:
                self._notice.show_error(error)
            self._show()

        return press
