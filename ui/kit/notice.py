"""A message on the page, mostly about a problem: a title, and a detail that says why and what to do."""

import logging

from services.domain.errors import EarshotError
from ui.kit.icons import icon
from ui.kit.markup import Box, Text
from ui.words import say
from ui.words.faults import error_words

log = logging.getLogger(__name__)


class Notice(Box):
    """Hidden until it has a message. A `quiet` or `lasting` one can't be dismissed, since its cause lasts."""

    def __init__(self, *, quiet: bool = False, lasting: bool = False) -> None:
        super().__init__(classes="notice quiet" if quiet else "notice", role="status" if quiet else "alert")
        self._icon = "info" if quiet else "alert"
        self._lasts = quiet or lasting
        self._texts: tuple[Text, Text] | None = None
        self.hide()

    def show(self, title: str, detail: str = "") -> None:
        if self._texts is None:
            self._texts = self._build()
        for text, words in zip(self._texts, (title, detail), strict=True):
            text.show(words)
        self.set_visibility(True)

    def show_error(self, error: Exception) -> None:
        """Shows an error of ours in its own words. Any other is logged, and shown only as an error."""
        if isinstance(error, EarshotError):
            self.show(*error_words(error))
        else:
            log.error("unexpected error on the page", exc_info=error)
            self.show(say("unexpected_title"), say("unexpected"))

    def hide(self) -> None:
        self.set_visibility(False)

    def _build(self) -> tuple[Text, Text]:
        with self:
            icon(self._icon, 20)
            with Box(classes="notice-text"):
                texts = Text("strong"), Text("span")
            if not self._lasts:
                with Box("button", "btn bare", type="button", aria_label=say("dismiss")).on("click", self.hide):
                    icon("close", 16)
        return texts
