"""Deletes everything about one number: in the settings, after a question that says how many calls that is."""

from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.erasing.number_erasure import erase_number, known_of
from services.dialling.block_list import understood
from services.domain.errors import EarshotError, NumberError
from services.domain.phone_number import international
from ui.kit.given import text_of
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import say

_EMIT = "(event) => { event.preventDefault(); emit(new FormData(event.target).get('number')); }"


class NumberDeletion:
    """Stands in the panel of the settings, for visitors who may delete data."""

    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk
        self._number = ""
        self._deleting = self._built = False

    def build(self) -> None:
        """Adds it to the current element."""
        self._built = True
        with Box("details", "settings-panel", data_testid="number-deletion"):
            Text("summary", say("number_delete"))
            Text("p", say("number_delete_explained"))
            with Box("form", autocomplete="off").on("submit", self._look, js_handler=_EMIT):
                with Box("label"):
                    Text("span", say("number"))
                    Box("input", type="tel", name="number", required=True, maxlength=64, data_testid="number-delete-number")
                Text("button", say("number_delete_look"), "btn", type="submit", data_testid="number-delete-look")
            self._notice = Notice()
            with Box(classes="deletion-question") as self._question:
                self._found = Text("p", data_testid="number-delete-found")
                self._blocked = Text("p", say("number_delete_blocked"))
                with Box(classes="deletion-answers"):
                    self._yes = Text("button", say("number_delete_yes"), "btn end", type="button", data_testid="number-delete-yes")
                    self._yes.on("click", self._delete)
                    Text("button", say("cancel"), "btn", type="button").on("click", self.hide)
            self._question.set_visibility(False)
            self._done = Text("p", "", role="status", data_testid="number-delete-done")
            self._done.set_visibility(False)

    def settings_toggled(self, *, shown: bool) -> None:
        """Called when the settings open or close: an old question is not asked again."""
        if not shown:
            self.hide()

    def hide(self) -> None:
        """Takes the question back."""
        if self._built and not self._deleting:
            self._number = ""
            self._question.set_visibility(False)
            self._done.show("")
            self._notice.hide()

    async def _look(self, event: GenericEventArguments) -> None:
        self.hide()
        try:
            number = understood(text_of(event))
            if number is None or number.endswith("*"):
                raise NumberError("Write a number with + and the country code, like +14155552671.")
            known = await known_of(self._desk, number, visitor())
        except EarshotError as error:
            self._notice.show_error(error)
            return
        self._number = number
        self._found.show(say("number_delete_sure", count=known.calls, number=international(number)))
        self._blocked.set_visibility(known.blocked)
        self._question.set_visibility(True)

    async def _delete(self) -> None:
        if self._deleting or not self._number:
            return
        self._deleting = True
        set_props(self._yes, disabled=True)
        done = ""
        try:
            erased = await erase_number(self._desk, self._number, visitor())
            if erased.failed:
                self._notice.show(say("number_delete_left", count=erased.failed))
            done = say("number_deleted", count=erased.erased)
            if erased.pending:
                done = f"{done} {say('number_delete_pending', count=erased.pending)}"
        except EarshotError as error:
            self._notice.show_error(error)
        finally:
            self._deleting = False
            set_props(self._yes, disabled=False)
        self._number = ""
        self._question.set_visibility(False)
        self._done.show(done)
