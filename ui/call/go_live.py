"""The steps to real calls, done on the page: the key is checked, an assistant and a number are chosen, and `.env` is written."""

from nicegui.events import GenericEventArguments

from services.doctor.going_live import Account, GoingLive
from services.domain.errors import EarshotError
from services.domain.phone_number import international
from ui.kit.given import fields_of
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.picker import named, short
from ui.kit.visitor import visitor
from ui.words import say

_EMIT = """(event) => {
  event.preventDefault();
  emit(Object.fromEntries(new FormData(event.target)));
}"""
_LONGEST = 200  # of what a field may hold


class GoLiveForm:
    """Stands in the current element. The key stays in the browser's field: nothing here keeps it, and it is never sent back."""

    def __init__(self, going_live: GoingLive) -> None:
        self._going_live = going_live
        self._account: Account | None = None
        with Box("form", "go-live-form", autocomplete="off", data_testid="go-live").on("submit", self._submit, js_handler=_EMIT):
            with Box("label"):
                Text("span", say("step_key"))
                Box(
                    "input",
                    name="key",
                    type="password",
                    autocomplete="off",
                    spellcheck="false",
                    maxlength=_LONGEST,
                    required=None if going_live.knows_key else True,
                    placeholder=say("step_set") if going_live.knows_key else None,
                    data_testid="go-live-key",
                )
            self._choice = Box(classes="go-live-choice")
            self._notice = Notice()
            self._says = Text("p", "", "aside", role="status", data_testid="go-live-says")
            self._button = Text("button", say("check_key"), "btn primary", type="submit", data_testid="go-live-next")
        self._says.show("")

    async def _submit(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        key, assistant_id, number_id = (str(given.get(name) or "")[:_LONGEST] for name in ("key", "assistant", "number"))
        self._notice.hide()
        self._button.props["disabled"] = True
        try:
            if self._account is None:
                self._offer(await self._going_live.account(key, visitor()))
            else:
                await self._going_live.save(key, assistant_id, number_id, visitor())
                self._says.show(say("going_live"))
                return
        except EarshotError as error:
            self._notice.show_error(error)
        self._button.props.pop("disabled", None)

    def _offer(self, account: Account) -> None:
        if not account.assistants or not account.numbers:
            self._says.show(say("account_empty"))
            return
        self._account = account
        self._says.show(say("key_accepted"))
        with self._choice:
            assistants = [(item.id, item.name or short(item.id)) for item in account.assistants]
            numbers = [(item.id, international(item.number) if item.number else item.name or short(item.id)) for item in account.numbers]
            for name, title, options in (("assistant", "which_assistant", assistants), ("number", "which_number", numbers)):
                with Box("label"):
                    Text("span", say(title))
                    with Box("select", name=name, data_testid=f"go-live-{name}"):
                        for value, words in named(options):
                            Text("option", words, value=value)
        self._button.set_text(say("save_and_restart"))
