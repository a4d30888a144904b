"""The API tokens in the settings: those there are, one more, and the end of any. A new token is shown once."""

from nicegui.events import GenericEventArguments

from services.desk.lists.made_tokens import MadeTokens
from services.domain.api_token import ApiToken
from services.domain.client import Scope
from services.domain.errors import EarshotError
from ui.kit.following import follow
from ui.kit.given import fields_of
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor
from ui.words import say

_DAYS = (30, 90, 365)
_EMIT = """(event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  emit({name: given.get('name'), scopes: given.getAll('scope'), days: given.get('days'), unasked: given.has('unasked')});
}"""


class ApiTokensPanel:
    """Stands in the panel of the settings, and follows what any process makes and revokes."""

    def __init__(self, tokens: MadeTokens) -> None:
        self._tokens = tokens
        self._built = False

    def build(self) -> None:
        """Adds it to the current element."""
        self._built = True
        with Box("details", "settings-panel", data_testid="api-tokens"):
            Text("summary", say("api_tokens"))
            Text("p", say("api_tokens_explained"))
            with Box("form", autocomplete="off").on("submit", self._make, js_handler=_EMIT):
                self._fields()
            self._notice = Notice()
            with Box("p", "made-token", role="status") as self._made:
                Text("span", say("token_made"))
                self._text = Text("code", "", data_testid="made-token")
            self._made.set_visibility(False)
            self._list = Box("ul")
        self._show()
        follow(self._tokens.changed, lambda _: self._show())

    def settings_toggled(self, *, shown: bool) -> None:
        """Called when the settings open or close."""
        if not shown:
            self._hide()

    def _hide(self) -> None:
        """A token is not shown again."""
        if not self._built:
            return
        self._text.show("")
        self._made.set_visibility(False)
        self._notice.hide()

    def _fields(self) -> None:
        with Box("label"):
            Text("span", say("token_name"))
            Box("input", name="name", required=True, maxlength=40, pattern="[A-Za-z0-9_.\\-]+", data_testid="token-name")
        with Box("fieldset"):
            Text("legend", say("token_scopes"))
            for scope in Scope:
                with Box("label"):
                    Box("input", type="checkbox", name="scope", value=scope.value)
                    Text("code", scope.value)
        with Box("label", "token-unasked"):
            Box("input", type="checkbox", name="unasked", data_testid="token-unasked")
            Text("span", say("token_unasked"))
        with Box("label"):
            Text("span", say("token_expires"))
            with Box("select", name="days"):
                for days in _DAYS:
                    Text("option", say("token_days", count=days), value=str(days), selected=days == _DAYS[1] or None)
                Text("option", say("token_never"), value="")
        Text("button", say("token_make"), "btn", type="submit", data_testid="token-make")

    async def _make(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        scopes = given.get("scopes")
        self._hide()
        try:
            token = await self._tokens.make(
                str(given.get("name") or ""),
                [str(scope) for scope in scopes] if isinstance(scopes, list) else [],
                _days(given.get("days")),
                visitor(),
                dials_unasked=given.get("unasked") is True,
            )
        except EarshotError as error:
            self._notice.show_error(error)
        else:
            self._text.show(token)
            self._made.set_visibility(True)

    def _show(self) -> None:
        self._list.clear()
        with self._list:
            for token in self._tokens.all():
                with Box("li"):
                    self._row(token)

    def _row(self, token: ApiToken) -> None:
        Text("b", token.name)
        Text("span", " ".join(scope for scope in Scope if scope in token.scopes))
        if token.dials_unasked:
            Text("span", say("token_unasked"))
        with Box("span"):
            Text("span", say("token_until") if token.expires_at else say("token_never"))
            if token.expires_at:
                LocalTime(token.expires_at, brief=True)

        async def revoke() -> None:
            try:
                await self._tokens.revoke(token.id, visitor())
            except EarshotError as error:
                self._notice.show_error(error)

        Text("button", say("token_revoke"), "btn", type="button", aria_label=say("token_revoke_named", name=token.name)).on("click", revoke)


def _days(value: object) -> int | None:
    """The days that were chosen. Anything but a number or the empty choice is 0, which is refused."""
    if value == "":
        return None
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else 0
