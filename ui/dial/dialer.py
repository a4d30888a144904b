"""The number field and the Call button: checks what is typed, says what Call would do, and places the call."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from nicegui import background_tasks, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.domain.call import Call, CallOrder
from services.domain.client import Scope
from services.domain.errors import ConsentNeeded, DuplicateCall, DuplicateRunningCall, EarshotError, VapiRefused
from services.domain.national_number import NationalNumber, browser_region, read_national
from services.domain.pasted_number import number_in, number_in_address
from services.domain.phone_number import as_typed, international, region_name, region_of
from services.domain.sip_uri import is_sip
from ui.dial import recent_numbers
from ui.dial.call_options import CallOptions, read_options
from ui.dial.pickers import Pickers
from ui.dial.questions import Questions
from ui.kit.following import follow
from ui.kit.given import fields_of, text_of
from ui.kit.icons import icon
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.press import PRESS, came_late
from ui.kit.visitor import visitor, visitor_may
from ui.tab import tab
from ui.words import language, parts, say
from ui.words.calls import named
from ui.words.faults import error_words

_MAX_TEXT = 64
_MAX_PASTED = 1000
_OPTIONS = ("first_message", "customer_name", "voicemail", "voicemail_message", "asked", "names", "values")
_GUESSED = "number_guessed"
_RECORDED, _UNRECORDED = "recording_consent_needed", "unrecorded"
_CONFIRMABLE = {"number_unlikely", "duplicate_recent_call", "duplicate_running_call", _RECORDED}
_WHILE_TYPING = {"invalid_number", "short_number", "emergency_number", "number_unlikely"}  # true of every number before it is complete


_OPEN_CONTACTS = "() => document.dispatchEvent(new CustomEvent('earshot-contacts'))"


class DialForm(Element, component="dial_form.js", dependencies=[PRESS]):
    """Groups the digits in its field, and emits `dial` once per valid press."""

    def __init__(self, *, initial: str, disabled: bool) -> None:
        super().__init__()
        set_props(self, initial=initial, shape={"of": initial, "text": initial}, offline=say("offline"), disabled=disabled)


class Dialer:
    """Calls `placing` with the order when it starts to place a call, then either `placed` with the call or `failed`."""

    def __init__(
        self,
        *,
        desk: CallDesk,
        to: str = "",
        example: str = "",
        placing: Callable[[CallOrder], None],
        placed: Callable[[Call], None],
        failed: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._placing, self._placed, self._failed = placing, placed, failed
        self._busy = False
        self._text = ""
        self._pastes = 0
        self._said: tuple[str | None, dict[str, str]] | None = None
        self._questions = Questions()
        self._chosen: Mapping[str, Any] = {}
        request = ui.context.client.request
        self._browser_region = browser_region(request.headers.get("accept-language", "")) if request else None
        self._not_meant = ""  # a text whose reading the user has dismissed
        to = number_in_address(to[:_MAX_PASTED], self._regions(desk.phone_number_id))[:_MAX_TEXT]
        with Box("section", "card pad dialer", aria_label=say("dialer")) as section:
            self.form = DialForm(initial=to, disabled=bool(desk.missing))
            with self.form:
                with Box(classes="label-row"):
                    Text("label", say("number"), "label", for_="dial-number")
                    self._country = Text("span", classes="label country", aria_live="polite")
                with Box(classes="field"):
                    self._field = Box("input", id="dial-number", type="tel", inputmode="tel", autocomplete="off", maxlength=_MAX_TEXT)
                    set_props(self._field, placeholder=example or None, aria_describedby="dial-says", data_testid="dial-number")
                    set_props(self._field, list=recent_numbers.ID)
                    with Box("button", "btn bare to-contacts", type="button", data_testid="contacts") as contacts:
                        icon("contacts", 20)
                    set_props(contacts, aria_label=say("contacts"), title=say("contacts"))
                    contacts.on("click", js_handler=_OPEN_CONTACTS)
                self._recent = recent_numbers.RecentNumbers(desk=desk)
                self._pickers = Pickers(desk=desk)
                self._options = CallOptions()
                with Box(classes="says", id="dial-says"):
                    self._sentence = Box("p", "say")
                    self._problem = Text("p", "", "problem", role="alert")
            with self.form.add_slot("actions"):
                with Box("button", "btn go", type="submit", data_testid="dial-call"):
                    icon("call")
                    Text("span", say("call"))
                self._confirm = Text("button", say("call_anyway"), "btn", type="submit", name="confirmed", data_testid="dial-confirm")
                self._unrecorded = Text("button", say("call_unrecorded"), "btn", type="submit", name="unrecorded")
                set_props(self._unrecorded, data_testid="dial-unrecorded")
            self._notice = Notice()
        section.set_visibility(visitor_may(Scope.CALL))
        self.form.on("typed", lambda event: self._typed(_text(text_of(event))))
        self.form.on("pasted", lambda event: self._pasted(text_of(event)))
        self.form.on("chosen", lambda event: self._choose(fields_of(event)))
        self.form.on("left", lambda event: self._left(_text(text_of(event))))
        self.form.on("dismissed", self._dismiss)
        self.form.on("dial", self._dial)
        self._typed(to)
        self._show_options()
        self.read_recent()
        background_tasks.create(desk.directory.freshen(), name="read assistants", context=tab())
        follow(desk.switch.changed, lambda _: self._look_again())
        follow(desk.contacts.changed, lambda _: self._rename())

    @property
    def empty(self) -> bool:
        """True if no number is being typed."""
        return not self._text.strip()

    def fill(self, number: str) -> None:
        """Puts a number into the field without dialling it."""
        self.form.run_method("fill", (number if is_sip(number) else number_in(number, self._regions()))[:_MAX_TEXT])

    def refresh(self) -> None:
        """Shows Vapi's current assistants and caller IDs, and updates the sentence that says what Call would do."""
        self._pickers.refresh()
        self._show_options()
        if self._said and (self._said[0] or "").startswith("calls"):
            self._check(self._text, complete=False)

    def _rename(self) -> None:
        """Contacts have changed: the number in the field may have a name now."""
        self._recent.look_for(self._text)
        if self._said and (self._said[0] or "").startswith("calls"):
            self._check(self._text, complete=False)

    def _look_again(self) -> None:
        """Dialling was stopped, or allowed again: what was said before is no longer so."""
        self._notice.hide()
        self._check(self._text, complete=False)

    def _typed(self, text: str) -> None:
        self._text = text
        self._recent.look_for(text)
        grouped = as_typed(text)
        if grouped != text:
            set_props(self.form, shape={"of": text, "text": grouped})
        self._check(text, complete=False)

    def _pasted(self, text: str) -> None:
        """Extracts and formats the number in a pasted text."""
        self._pastes += 1  # so that pasting the same text again counts as a change
        text = text[:_MAX_PASTED]
        number = (text.strip() if is_sip(text.strip()) else number_in(text, self._regions()))[:_MAX_TEXT]
        set_props(self.form, shape={"of": text, "text": number, "pasted": self._pastes})
        self._typed(number)

    def _choose(self, args: Mapping[str, Any]) -> None:
        """Something was chosen or filled in: if the call is another one now, an open question was not about it."""
        before = self._rest
        self._take(args)
        if self._rest != before:
            self._check(self._text, complete=False)

    def _take(self, args: Mapping[str, Any]) -> None:
        self._chosen = args
        if self._pickers.choose(args):
            self._show_options()

    def _show_options(self) -> None:
        self._options.ask_for(self._pickers.variables, squad=self._pickers.squad_id is not None)

    @property
    def _rest(self) -> str:
        """What the call consists of besides the number."""
        chosen = {"assistant": self._pickers.assistant_id, "squad": self._pickers.squad_id, "line": self._pickers.phone_number_id}
        options = {name: value for name, value in self._chosen.items() if value and name in _OPTIONS}
        return json.dumps([chosen, options], sort_keys=True, default=str)

    def _left(self, text: str) -> None:
        if text.strip():
            self._check(text, complete=True)

    def _dismiss(self) -> None:
        """Closes the question that is shown, without an answer."""
        self._not_meant = self._text
        self._check(self._text, complete=False)

    def regions(self) -> tuple[str | None, str | None]:
        """Whose numbers need no country code here: the chosen caller ID's country, then the browser's."""
        return self._regions()

    def _regions(self, phone_number_id: str | None = None) -> tuple[str | None, str | None]:
        """Whose numbers need no country code here: the caller ID's country, then the browser's."""
        chosen = self._pickers.phone_number_id if phone_number_id is None else phone_number_id
        return self._desk.directory.region(chosen), self._browser_region

    def _read(self, text: str) -> NationalNumber | None:
        return read_national(text, self._regions()) if text != self._not_meant else None

    def _check(self, text: str, *, complete: bool) -> None:
        """Says what Call would do. If the number is `complete`, or can't become valid by more digits, says why it can't be called."""
        national = self._read(text)
        region = national.region if national else region_of(text)
        self._pickers.show_limits(region)
        country = region_name(region, language())
        self._country.show(", ".join(filter(None, (international(national.e164), country))) if national else country)
        if self._desk.missing:
            return self._say("not_configured")
        number = national.e164 if national else text
        self._questions.about(number, self._rest)
        if not complete and is_sip(text.strip()):
            return self._say("hint_sip")  # of half an address there is nothing to say yet
        try:
            order = self._order(number, confirmed=self._questions.agreed("number_unlikely"))
            self._desk.check(order, visitor())
        except EarshotError as error:
            if complete or error.code not in _WHILE_TYPING:
                self._show_problem(error)
            else:
                self._say(None if text.lstrip().startswith(("+", "00")) else "hint")
        else:
            if national and not national.certain and not self._questions.agreed(_GUESSED):
                self._ask_whether(national)
            else:
                self._say_what_call_does(order)

    def read_recent(self) -> None:
        """Reads the numbers called last anew."""
        background_tasks.create(self._recent.refresh(), name="read recent numbers", context=tab())

    def _order(self, number: str, *, confirmed: bool = False, **options: Any) -> CallOrder:
        return self._desk.order(
            number,
            assistant_id=self._pickers.assistant_id,
            squad_id=self._pickers.squad_id,
            phone_number_id=self._pickers.phone_number_id,
            confirm_unlikely_number=confirmed,
            **options,
        )

    def _say_what_call_does(self, order: CallOrder) -> None:
        line = self._desk.directory.caller_id_name(order.phone_number_id)
        assistant = self._desk.directory.speaker_name(order)
        country = region_name(order.region, language())
        values = {"number": named(self._desk, order.to), "country": country, "line": line, "assistant": assistant}
        self._say(f"calls{'_in' if country else ''}{'_from' if line else ''}{'_as' if assistant else ''}", **values)

    def _say(self, key: str | None, **values: str) -> None:
        """Shows this sentence below the field; None shows nothing."""
        self._show_problem(None)
        if self._said == (key, values):
            return
        self._said = (key, values)
        self._sentence.clear()
        if key is None:
            return
        with self._sentence:
            for literal, gap in parts(key):
                Text("span", literal)
                if gap:
                    Text("b" if gap in ("number", "assistant") else "span", values[gap])

    def _ask_whether(self, national: NationalNumber) -> None:
        """Asks whether this is the number that was meant."""
        number, country = international(national.e164), region_name(national.region, language())
        self._show_problem(None)
        self._problem.show(say("guessed", number=number, country=country))
        self._sentence.set_visibility(False)
        self._ask(_GUESSED, say("call_number", number=number))

    def _ask(self, code: str | None, yes: str = "") -> None:
        records = code == _RECORDED
        self._questions.ask(code, _UNRECORDED if records else None)
        set_props(self._confirm, value=self._questions.shown)
        self._confirm.show(yes or say("call_recorded" if records else "call_anyway"))
        self._confirm.set_visibility(code is not None)
        set_props(self._unrecorded, value=self._questions.shown_other)
        self._unrecorded.set_visibility(records)

    def _show_problem(self, error: EarshotError | None, words: str = "") -> None:
        self._problem.show(words or (error_words(error)[1] if error else ""))
        self._sentence.set_visibility(error is None)
        self._ask(error.code if error and error.code in _CONFIRMABLE else None)
        set_props(self._field, aria_invalid="true" if error else None)

    def _refused(self, error: EarshotError) -> None:
        question = say("ask_recording") if isinstance(error, ConsentNeeded) else ""
        if isinstance(error, DuplicateCall):
            question = say("duplicate_running" if isinstance(error, DuplicateRunningCall) else "duplicate")
        self._show_problem(error, question)

    async def _dial(self, event: GenericEventArguments) -> None:
        if self._busy:
            return
        self._busy = True
        call = None
        try:
            args = fields_of(event)
            call = await self._place(_text(args.get("text")), args)
        finally:
            self._busy = False
            self.form.run_method("settle", call is not None)

    async def _place(self, text: str, args: Mapping[str, Any]) -> Call | None:
        self._notice.hide()
        if await came_late(self.form.client, args.get("clocks")):
            self._notice.show(say("late_title"), say("late"))
            return None
        self._take(args)  # as the form showed it at the press
        national = self._read(text)
        number = national.e164 if national else text
        self._questions.about(number, self._rest)
        if (answered := args.get("answered")) and not self._questions.agree(str(answered)):
            self._check(text, complete=True)
            return None
        if national and not national.certain and not self._questions.agreed(_GUESSED):
            self._ask_whether(national)
            return None
        try:
            options = {**self._read_options(args), "recording_agreed": self._recording_agreed}
            order = self._order(number, confirmed=self._questions.agreed("number_unlikely"), **options)
            agreed = await self._weigh(order)
        except EarshotError as error:
            self._refused(error)
            return None
        self._say_what_call_does(order)
        self._placing(order)
        try:
            again, running = agreed is not None, agreed == DuplicateRunningCall.code
            placed = await self._desk.place(order, visitor(), allow_recent=again, allow_duplicate=running)
        except DuplicateCall as error:
            self._failed()
            self._refused(error)
            return None
        except Exception as error:
            self._questions.forget()
            self._failed()
            self._notice.show_error(error)
            if isinstance(error, VapiRefused):  # perhaps because the assistant is gone
                background_tasks.create(self._desk.directory.load(), name="read assistants", context=tab())
            return None
        self._questions.forget()
        self._options.empty()
        self._chosen = {}
        self._placed(placed.call)
        self.read_recent()
        return placed.call

    @property
    def _recording_agreed(self) -> bool | None:
        return True if self._questions.agreed(_RECORDED) else False if self._questions.agreed(_UNRECORDED) else None

    def _read_options(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return read_options(args, squad=self._pickers.squad_id is not None)

    async def _weigh(self, order: CallOrder) -> str | None:
        """The code of the duplicate that it is and that the user has said yes to, if it is one. A yes to a recent call is none to one that
        is active by now, perhaps from another tab where somebody has just said yes too."""
        try:
            await self._desk.weigh(order, visitor(), allow_duplicate=False)
        except DuplicateCall as error:
            if not self._questions.agreed(error.code):
                raise
            await self._desk.weigh(order, visitor())
            return error.code
        return None


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
