"""Deletes the data of an ended call, after a question that says what goes and what stays."""

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import Scope
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor, visitor_may
from ui.words import say
from ui.words.who import who_name


class DataDeletion(Box):
    """Hidden while the call is active."""

    def __init__(self, call: Call, *, desk: CallDesk) -> None:
        super().__init__("section", "deletion", aria_label=say("delete_data"), data_testid="data-deletion")
        self._call = call
        self._desk = desk
        self._asking = self._deleting = False
        self._allowed = visitor_may(Scope.MANAGE)
        with self:
            self._notice = Notice()
            with Box("p", "deletion-done", role="status") as self._done:
                self._state = Text("span", data_testid="data-deleted")
                self._at = LocalTime(full=True)
            self._open = Text("button", say("delete_data"), "btn small", type="button", data_testid="delete-data")
            self._open.on("click", lambda: self._ask(True))
            with Box(classes="deletion-question") as self._question:
                Text("h3", say("delete_data_sure"))
                Text("p", say("delete_data_goes"))
                Text("p", say("delete_data_stays"))
                with Box(classes="deletion-answers"):
                    self._yes = Text("button", "", "btn small end", type="button", data_testid="delete-data-yes").on("click", self._delete)
                    no = Text("button", say("delete_data_no"), "btn small", type="button", data_testid="delete-data-no")
                    no.on("click", lambda: self._ask(False))
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        self.set_visibility(not call.running)
        erasure = call.erasure
        self._done.set_visibility(erasure is not None)
        self._at.show((erasure.confirmed_at or erasure.asked_at) if erasure else None)
        if erasure:
            words = "data_deleted" if erasure.confirmed_at else "data_deleted_here"
            self._state.show(say(words, who=who_name(erasure.by)))
        self._open.set_visibility(erasure is None and not self._asking and self._allowed)
        self._question.set_visibility(erasure is None and self._asking)
        self._yes.show(say("deleting_data" if self._deleting else "delete_data_yes"))
        set_props(self._yes, disabled=self._deleting)

    def _ask(self, asking: bool) -> None:
        self._asking = asking
        self._notice.hide()
        self.refresh(self._call)

    async def _delete(self) -> None:
        if self._deleting or not self._asking:
            return
        self._deleting = True
        self.refresh(self._call)
        try:
            call = await self._desk.erase(self._call.id, visitor())
        except Exception as error:
            if not self.is_deleted:
                self._notice.show_error(error)
            call = self._call
        self._deleting = False
        if not self.is_deleted:
            self._asking = False
            self.refresh(self._desk.get(call.id) or call)
