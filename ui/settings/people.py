"""The people in the settings: those there are, with their roles and caps, and one more. The link for a new one is shown once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.desk.lists.people import People
from services.domain.caps import CAPS, Cap, Caps, Kind, caps_from_json
from services.domain.errors import EarshotError, RequestError
from services.domain.person import LONGEST_NAME, Person, Role
from services.support.root_path import address
from ui.kit.following import follow
from ui.kit.given import fields_of, repeats
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import say

_EMIT = """(event) => {
  event.preventDefault();
  emit(Object.fromEntries(new FormData(event.target)));
}"""


class PeoplePanel:
    """Stands in the panel of the settings, and follows what any process does to people. `invites`: they may have passwords of their own."""

    def __init__(self, people: People, *, invites: bool) -> None:
        self._people = people
        self._invites = invites
        self._built = False
        self._rows: dict[str, tuple[Box, tuple[object, ...]]] = {}
        """The row of each person, and what it shows."""
        request = ui.context.client.request
        self._base = f"{request.url.scheme}://{request.headers.get('host', '')}{address('/join')}"

    def build(self) -> None:
        """Adds it to the current element."""
        self._built = True
        with Box("details", "settings-panel", data_testid="people"):
            Text("summary", say("people"))
            Text("p", say("people_explained"))
            if self._invites:
                with Box("form", autocomplete="off").on("submit", self._invite, js_handler=_EMIT):
                    with Box("label"):
                        Text("span", say("login_name"))
                        Box("input", name="name", required=True, maxlength=LONGEST_NAME, data_testid="person-name")
                    _fields(Role.VIEWER, Caps())
                    Text("button", say("person_invite"), "btn", type="submit", data_testid="person-invite")
            self._notice = Notice()
            with Box("p", "made-token", role="status") as self._made:
                Text("span", say("person_link"))
                self._link = Text("code", "", data_testid="person-link")
            self._made.set_visibility(False)
            self._list = Box("ul")
        self._show()
        follow(self._people.changed, lambda _: self._show())

    def settings_toggled(self, *, shown: bool) -> None:
        """Called when the settings open or close: a link is not shown again."""
        if self._built and not shown:
            self._show_link("")
            self._notice.hide()

    def _show_link(self, code: str) -> None:
        self._link.show(f"{self._base}?{urlencode({'code': code})}" if code else "")
        self._made.set_visibility(bool(code))

    def _show(self) -> None:
        """Builds only the rows of people who have changed: what is half typed in another row stays."""
        people = {person.id: person for person in self._people.all() if person.name}
        for person_id in self._rows.keys() - people.keys():
            self._rows.pop(person_id)[0].delete()
        for place, person in enumerate(people.values()):
            shown = (person.name, person.role, person.caps, person.disabled, person.joined)
            if person.id not in self._rows:
                with self._list:
                    self._rows[person.id] = Box("li", data_testid="person"), ()
            row, before = self._rows[person.id]
            if shown != before:
                row.clear()
                with row:
                    self._row(person)
                self._rows[person.id] = row, shown
            if self._list.default_slot.children.index(row) != place:
                row.move(target_index=place)

    def _row(self, person: Person) -> None:
        Text("b", person.name)
        state = "disabled" if person.disabled else "joined" if person.joined else "invited"
        Text("span", f"{say(f'role_{person.role}')} · {say(f'person_{state}')}")
        with Box("details"):
            Text("summary", say("person_change", name=person.name))

            async def change(event: GenericEventArguments) -> None:
                given = fields_of(event)
                await self._do(lambda: self._people.change(person.id, visitor(), role=_role(given), caps=_caps(given)))

            with Box("form", autocomplete="off").on("submit", change, js_handler=_EMIT):
                _fields(person.role, person.caps)
                Text("button", say("person_save"), "btn small", type="submit")
            with Box("fieldset"):
                if self._invites:
                    self._button("person_link_again", lambda: self._invite_again(person))
                words = "person_enable" if person.disabled else "person_disable"
                self._button(words, lambda: self._people.change(person.id, visitor(), disabled=not person.disabled))
                self._button("person_remove", lambda: self._people.remove(person.id, visitor()), sure="person_remove_sure")

    def _button(self, words: str, work: Callable[[], Awaitable[object]], *, sure: str = "") -> None:
        """With `sure`, only the second press does it."""
        asked = False
        button = Text("button", say(words), "btn small", type="button")

        async def press(event: GenericEventArguments) -> None:
            nonlocal asked
            if sure and repeats(event):
                return
            if sure and not asked:
                asked = True
                button.show(say(sure))
                button.classes(replace="btn small end")
                return
            await self._do(work)

        button.on("click", press, args=["detail"])

    async def _invite_again(self, person: Person) -> None:
        self._show_link(await self._people.invite_again(person.id, visitor()))

    async def _invite(self, event: GenericEventArguments) -> None:
        async def invite() -> None:
            given = fields_of(event)
            _, code = await self._people.invite(str(given.get("name") or ""), _role(given), _caps(given), visitor())
            self._show_link(code)

        await self._do(invite)

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does what was pressed, and shows why not."""
        self._notice.hide()
        self._show_link("")
        try:
            await work()
        except EarshotError as error:
            self._notice.show_error(error)


def _fields(role: Role, caps: Caps) -> None:
    with Box("label"):
        Text("span", say("role"))
        with Box("select", name="role"):
            for one in Role:
                Text("option", f"{say(f'role_{one}')}: {say(f'role_{one}_may')}", value=one.value, selected=True if one is role else None)
    for cap in CAPS:
        if cap.kind is not Kind.RIGHT:
            _field(cap, getattr(caps, cap.name))
    with Box("fieldset"):
        for cap in CAPS:
            if cap.kind is Kind.RIGHT:
                with Box("label"):
                    Box("input", type="checkbox", name=cap.name, checked=True if getattr(caps, cap.name) else None)
                    Text("span", say(f"person_may_{cap.name}"))


def _field(cap: Cap, value: Any) -> None:
    with Box("label"):
        Text("span", say(f"person_{cap.name}"))
        if cap.kind is Kind.CALLS:
            shown = None if value is None else str(value)
            Box("input", name=cap.name, type="number", min=0, value=shown, placeholder=say("person_no_limit"))
        else:
            shown = ",".join(sorted(value)) if value else None
            Box("input", name=cap.name, value=shown, placeholder=say("person_all_regions"), maxlength=1000)


def _role(given: Any) -> Role:
    try:
        return Role(str(given.get("role")))
    except (ValueError, AttributeError):
        raise RequestError("Choose a role.") from None


def _caps(given: Mapping[str, Any]) -> Caps:
    read: dict[Kind, Callable[[str], object]] = {
        Kind.CALLS: lambda name: _number(given.get(name)),
        Kind.REGIONS: lambda name: _regions(given.get(name)),
        Kind.RIGHT: lambda name: name in given,
    }
    return caps_from_json({cap.name: read[cap.kind](cap.name) for cap in CAPS})


def _regions(value: object) -> list[str] | None:
    return [part.strip().upper() for part in str(value or "").split(",") if part.strip()] or None


def _number(value: object) -> int | None:
    """The number in a field, None if it is empty. Anything else is -1, which is refused."""
    text = str(value or "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
