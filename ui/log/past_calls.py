"""Ended calls from the journal, filtered by text, outcome and date, a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.errors import EarshotError
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.log.call_list import CallList, row
from ui.log.call_search import AddressFilters, CallSearch, Filters
from ui.words import say
from ui.words.alerts import rule_words

_PAGE = 30  # calls
_CONTACTS = 5  # whose calls a name finds
_NEVER = datetime.min.replace(tzinfo=UTC)


class PastCalls(LiveBox):
    """Calls `choose` with the id of the call whose row is pressed. `asked` filters at first."""

    def __init__(self, *, desk: CallDesk, choose: Callable[[str], None], asked: AddressFilters) -> None:
        super().__init__(classes="part past")
        self._desk = desk
        self._filters = Filters(speaker=asked.speaker, caller=asked.caller, alert=asked.alert)
        self._asked = bool(asked.in_form)
        self._last: tuple[datetime, str] | None = None
        self._turn = 0
        with self:
            Text("h2", say("earlier"))
            self._search = CallSearch(changed=self._look, asked=asked)
            with Box("p", "only") as self._only:
                self._only_words = Text("span")
                Text("button", say("all_calls"), "btn small", type="button", data_testid="all-calls").on("click", self._look_at_all)
            self._notice = Notice()
            self._list = CallList([], choose=choose)
            self._nothing = Box(classes="nothing")
            with self._nothing:
                self._title, self._words = Text("b"), Text("p")
            self._more = Text("button", say("more_calls"), "btn more-calls", type="button").on("click", self._add)
        self._show_only()
        self._show_end(loading=True, more=False)
        if not self._asked:  # else the form says from the browser when the days begin and end
            self.start(self._find(), name="find calls")

    def mark_row(self, call_id: str | None) -> None:
        self._list.mark_row(call_id)

    def refresh(self, calls: Sequence[Call]) -> None:
        """Adds calls that have just ended, or updates those of which more is known now."""
        if self._filters == Filters():
            self._list.put(row(self._desk, call) for call in calls)
            self._show_end(loading=False, more=None)
        elif any(call.id not in self._list.ids for call in calls):
            self.start(self._find(), name="find calls")
        else:
            self._list.put(row(self._desk, call) for call in calls)

    def read_again(self) -> None:
        """Shows the first page anew."""
        self.start(self._find(), name="find calls")

    def _look(self, filters: Filters) -> None:
        self._filters = replace(filters, speaker=self._filters.speaker, caller=self._filters.caller, alert=self._filters.alert)
        self.start(self._find(), name="find calls")

    def _look_at_all(self) -> None:
        """Leaves out the assistant, the caller ID and the rule that the address named."""
        self._filters = replace(self._filters, speaker="", caller="", alert="")
        self._show_only()
        self.start(self._find(), name="find calls")

    def _show_only(self) -> None:
        directory, filters = self._desk.directory, self._filters
        names = [directory.name_of(filters.speaker) or filters.speaker, directory.caller_id_name(filters.caller) or filters.caller]
        names.append(self._rule_name(filters.alert))
        self._only_words.show(say("only_calls", names=" · ".join(filter(None, names))))
        self._only.set_visibility(any(names))

    def _rule_name(self, rule_id: str) -> str:
        rule = next((rule for rule in self._desk.rules.all() if rule.id == rule_id), None)
        if rule:
            return say("an_alert_of", rule=rule_words(rule))
        return say("an_alert") if rule_id else ""

    async def _find(self) -> None:
        """Shows the first page of calls that match the filters."""
        self._last = None
        if (calls := await self._read()) is not None:
            self._list.replace([row(self._desk, call) for call in calls])
            self._show_end(loading=False, more=len(calls) == _PAGE)

    async def _add(self) -> None:
        if (calls := await self._read()) is not None:
            self._list.put([row(self._desk, call) for call in calls])
            self._show_end(loading=False, more=len(calls) == _PAGE)

    async def _read(self) -> Sequence[Call] | None:
        """The next page; None if it could not be read, or the filters have changed since."""
        self._turn = turn = self._turn + 1
        filters = self._filters
        self._notice.hide()
        try:
            calls = await self._page(filters)
        except EarshotError as error:
            self._notice.show_error(error)
            self._show_end(loading=False, more=self._last is not None)
            return None
        if turn != self._turn:
            return None
        if calls and calls[-1].created_at:
            self._last = calls[-1].created_at, calls[-1].id
        return calls

    async def _page(self, filters: Filters) -> list[Call]:
        """The next page of calls with the text that is searched for, or with the number of a contact of that name."""
        named = any(map(str.isalpha, filters.search))
        contacts = self._desk.contacts.find(filters.search, most=_CONTACTS) if named else []
        pages = [
            await self._desk.page_of_calls(
                statuses=[CallStatus.ENDED],
                created_from=filters.created_from,
                created_to=filters.created_to,
                search=search or None,
                families=[filters.family] if filters.family else None,
                speakers=[filters.speaker] if filters.speaker else None,
                callers=[filters.caller] if filters.caller else None,
                rules=[filters.alert] if filters.alert else None,
                before=self._last,
                limit=_PAGE,
            )
            for search in (filters.search, *(contact.number for contact in contacts))
        ]
        if len(pages) == 1:
            return pages[0]
        found = {call.id: call for page in pages for call in page if call.created_at}
        return sorted(found.values(), key=lambda call: (call.created_at or _NEVER, call.id), reverse=True)[:_PAGE]

    def _show_end(self, *, loading: bool, more: bool | None) -> None:
        """Shows what belongs below the rows or, if there are none, in their place. `more` None leaves the button as it is."""
        if more is not None:
            self._more.set_visibility(more)
        empty = not self._list.ids
        self._nothing.set_visibility(empty)
        if empty and loading:
            self._title.show("")
            self._words.show(say("calls_loading"))
        elif empty:
            filtered = self._filters != Filters()
            self._title.show(say("none_found_title" if filtered else "no_calls_title"))
            self._words.show(say("none_found" if filtered else "no_calls"))
        self._search.show(export=self._filters, visible=not empty or self._asked or self._filters != Filters())
