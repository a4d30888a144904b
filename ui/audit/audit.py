"""The audit page, for owners: who did what, by person and by call. Its address says what it shows."""

from collections.abc import Sequence

from services.desk.desk import CallDesk
from services.domain.client import PAGE, Scope
from services.domain.errors import EarshotError
from services.domain.permissions import require
from services.journal import AuditRow
from services.support.root_path import address
from ui.audit.asked import LONGEST_CALL, LONGEST_WHO, Asked, read_asked
from ui.audit.named import action_name, outcome_name
from ui.kit.markup import Box, Text
from ui.kit.report_page import ReportPage
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor
from ui.words import say
from ui.words.calls import named
from ui.words.who import who_name

_PAGE = 50  # entries

Entries = Sequence[tuple[int, AuditRow]]


class AuditPage(ReportPage):
    """Built in the page's content, for whoever may `manage`. Raises Forbidden for others."""

    def __init__(self, desk: CallDesk) -> None:
        require(visitor(), Scope.MANAGE)
        super().__init__("audit")
        self._desk = desk
        self._asked = read_asked(self.client.request.query_params)
        with self:
            self._form()
            self._place = Box("section", "card", aria_label=say("audit"))
        self.start(self._load(), name="read audit")

    async def _load(self) -> None:
        asked = self._asked
        try:
            found = await self._desk.journal.audit_page(
                who=asked.who or None, call_id=asked.call or None, before=asked.before, limit=_PAGE + 1
            )
        except EarshotError as error:
            self.notice.show_error(error)
            return
        with self._place:
            if found:
                self._table(found[:_PAGE])
            else:
                Text("p", say("audit_none"), "report-note", data_testid="audit-none")
            self._links(found)

    def _form(self) -> None:
        names = [person.name for person in self._desk.people.all() if person.name]
        names += [PAGE.name, *(token.name for token in self._desk.tokens.all())]
        with Box("form", "report-form", method="get", action=address("/audit")):
            with Box("label"):
                Text("span", say("audit_who"))
                Box("input", name="who", value=self._asked.who, maxlength=LONGEST_WHO, list="audit-names", autocomplete="off")
            with Box("datalist", id="audit-names"):
                for name in names:
                    Text("option", who_name(name), value=name)
            with Box("label"):
                Text("span", say("audit_call"))
                Box("input", name="call", value=self._asked.call, maxlength=LONGEST_CALL, autocomplete="off")
            Text("button", say("insights_show"), "btn go", type="submit")
            if self._asked != Asked():
                Text("a", say("audit_all"), "btn small", href=address("/audit"), data_testid="audit-all")

    def _table(self, entries: Entries) -> None:
        with Box("table", data_testid="audit-entries"):
            Text("caption", say("audit"), "sr-only")
            with Box("thead"), Box("tr"):
                for column in ("audit_when", "audit_who", "audit_what", "audit_outcome", "audit_detail"):
                    Text("th", say(column), scope="col")
            with Box("tbody"):
                for _, row in entries:
                    with Box("tr"):
                        self._row(row)

    def _row(self, row: AuditRow) -> None:
        with Box("td"):
            LocalTime(row.at, dated=True)
        with Box("td"):
            Text("a", who_name(row.who), href=Asked(who=row.who, call=self._asked.call).page())
        with Box("td"):
            Text("b", action_name(row.action))
            if row.to:
                Text("span", named(self._desk, row.to))
            if row.call_id:
                Text("a", say("audit_of_call"), href=Asked(who=self._asked.who, call=row.call_id).page())
        Text("td", outcome_name(row))
        Text("td", row.detail)

    def _links(self, found: Entries) -> None:
        asked = self._asked
        with Box("nav", "report-line", aria_label=say("audit_pages")):
            if asked.before:
                Text("a", say("audit_newest"), "btn small", href=asked.page(), data_testid="audit-newest")
            if len(found) > _PAGE:
                Text("a", say("audit_older"), "btn small", href=asked.page(before=found[_PAGE - 1][0]), data_testid="audit-older")
            Text("a", say("audit_csv"), "export", href=asked.export("csv"), download="audit.csv", data_testid="audit-csv")
            Text("a", say("audit_json"), "export", href=asked.export("json"), data_testid="audit-json")
