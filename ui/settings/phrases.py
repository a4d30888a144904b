"""The quick phrases in the settings: one in each line."""

from nicegui.events import GenericEventArguments

from services.desk.lists.phrases import LONGEST, MOST, Phrases
from services.domain.errors import EarshotError
from ui.kit.following import follow
from ui.kit.given import text_of
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import say

_EMIT = "(event) => { event.preventDefault(); emit(new FormData(event.target).get('phrases')); }"
_ROWS = 5


class PhrasesPanel:
    """Follows what any process changes."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def build(self) -> None:
        """Adds it to the current element."""
        with Box("details", "settings-panel phrases", data_testid="phrases"):
            Text("summary", say("phrases"))
            Text("p", say("phrases_explained"))
            with Box("form", autocomplete="off").on("submit", self._save, js_handler=_EMIT):
                self._field = Box(
                    "textarea",
                    name="phrases",
                    rows=_ROWS,
                    maxlength=MOST * (LONGEST + 2),
                    aria_label=say("phrases"),
                    data_testid="phrases-text",
                )
                self._notice = Notice()
                self._saved = Text("p", "", role="status", data_testid="phrases-saved")
                Text("button", say("phrases_save"), "btn", type="submit", data_testid="phrases-save")
        self._saved.show("")
        self._show()
        follow(self._phrases.changed, lambda _: self._show())

    def settings_toggled(self, *, shown: bool) -> None:
        """Called when the settings open or close: the message about the last change is hidden."""
        if shown:
            self._notice.hide()
            self._saved.show("")

    async def _save(self, event: GenericEventArguments) -> None:
        self._notice.hide()
        self._saved.show("")
        try:
            await self._phrases.replace(text_of(event), visitor())
        except EarshotError as error:
            self._notice.show_error(error)
        else:
            self._saved.show(say("phrases_saved"))

    def _show(self) -> None:
        set_props(self._field, value="\n".join(self._phrases.all))
