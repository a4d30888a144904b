"""The insights page: calls in numbers, by day, outcome, assistant and caller ID. What it shows stands in its address."""

from collections.abc import Mapping
from datetime import timedelta

from nicegui import ui

from services.desk.desk import CallDesk
from services.desk.insights import read_insights
from services.domain.errors import EarshotError
from services.domain.insights import Insights
from services.support.root_path import address
from ui.insights import charts
from ui.insights.asked import BEFORE, Asked, read_asked, zone_name
from ui.insights.numbers import answered, cost, days_name, interruptions, minutes, number, rate, response
from ui.insights.tables import comparison, days_table, rules_table, sides_table
from ui.kit.markup import Box, Text
from ui.kit.report_page import ReportPage
from ui.words import say

_PRESETS = (7, 28, 90, 365)  # days
_ZONE_WITHIN_S = 10.0  # for which the browser may take to say where it is


class InsightsPage(ReportPage):
    """Built in the page's content. It is filled once the browser has said in which time zone it is."""

    def __init__(self, desk: CallDesk) -> None:
        super().__init__("insights")
        self._query: Mapping[str, str] = dict(self.client.request.query_params)
        self._desk = desk
        with self:
            self._place = Box()
            with self._place:
                Text("p", say("insights_loading"), "report-note", role="status")
        self.start(self._load(), name="count calls")

    async def _load(self) -> None:
        await ui.context.client.connected()
        asked = read_asked(self._query, await _browser_zone())
        try:
            found = await self._read(asked)
            other = await self._read(asked.other) if asked.other else None
        except EarshotError as error:
            self.notice.show_error(error)
            return
        self._place.clear()
        with self._place:
            self._form(asked)
            if found.total.calls or (other and other.total.calls):
                self._show(asked, found, other)
            else:
                Text("p", say("insights_none"), "report-note", data_testid="insights-none")

    async def _read(self, asked: Asked) -> Insights:
        return await read_insights(self._desk.journal, asked.period, speaker=asked.speaker or None, caller=asked.caller or None)

    def _show(self, asked: Asked, found: Insights, other: Insights | None) -> None:
        total = found.total
        with Box("dl", "report-line insights-totals", data_testid="insights-totals"):
            for name, value in (
                ("insights_calls", number(total.calls)),
                ("insights_answered", answered(total)),
                ("insights_rate", rate(total)),
                ("insights_minutes", minutes(total)),
                ("insights_cost", cost(total)),
                *((("insights_response", response(total)), ("insights_interruptions", interruptions(total))) if total.measured else ()),
            ):
                with Box():
                    Text("dt", say(name))
                    Text("dd", value)
        if total.answer_rate is None:
            charts.too_few()
        if other and asked.other:
            with Box("section", "card", aria_label=say("insights_compared"), data_testid="insights-compared"):
                Text("h2", say("insights_compared"))
                comparison(
                    (self._title(asked, asked), asked.calls(), total), (self._title(asked.other, asked), asked.other.calls(), other.total)
                )
        lead = ui.navigate.to
        if total.calls:
            with Box("section", "card", aria_label=say("insights_by_day"), data_testid="insights-days"):
                charts.outcomes(found, asked, lead)
                if total.answer_rate is not None:
                    charts.rates(found, asked, lead)
                charts.minutes_and_cost(found, asked, lead)
                if total.measured:
                    charts.conversations(found, asked, lead)
                days_table(found, asked)
                Text("a", say("export"), "export", href=asked.csv(), download="insights.csv")
            if found.rules:
                with Box("section", "card", aria_label=say("insights_by_rule"), data_testid="insights-by-rule"):
                    charts.alerted(found, asked, lead)
                    rules_table(found, asked)
            self._sides(asked, found)

    def _sides(self, asked: Asked, found: Insights) -> None:
        for title, tallies, names, links in (
            (
                "insights_by_assistant",
                found.speakers,
                {id_: self._speaker_name(id_) for id_ in found.speakers},
                {id_: asked.calls(speaker=id_) if id_ else "" for id_ in found.speakers},
            ),
            (
                "insights_by_caller",
                found.callers,
                {id_: self._desk.directory.caller_id_name(id_) or id_ or say("insights_without") for id_ in found.callers},
                {id_: asked.calls(caller=id_) if id_ else "" for id_ in found.callers},
            ),
        ):
            with Box("section", "card", aria_label=say(title), data_testid=title.replace("_", "-")):
                charts.sides(title, tallies, names, links, ui.navigate.to)
                sides_table(title, tallies, names, links)

    def _title(self, asked: Asked, beside: Asked) -> str:
        """What sets these calls apart from those that they are compared with."""
        if asked.speaker != beside.speaker or (beside.compare and beside.compare != BEFORE):
            return self._speaker_name(asked.speaker) if asked.speaker else say("insights_all")
        return days_name(asked.period)

    def _speaker_name(self, speaker: str) -> str:
        return self._desk.directory.name_of(speaker) or speaker or say("insights_without")

    def _form(self, asked: Asked) -> None:
        directory = self._desk.directory
        speakers = {id_: self._speaker_name(id_) for id_ in (*directory.assistants, *directory.squads, *filter(None, [asked.speaker]))}
        callers = {id_: directory.caller_id_name(id_) or id_ for id_ in (*directory.caller_ids, *filter(None, [asked.caller]))}
        with Box("form", "report-form", method="get", action=address("/insights")):
            for edge, day in (("from", asked.period.first), ("to", asked.period.last)):
                with Box("label"):
                    Text("span", say(f"day_{edge}"))
                    Box("input", name=edge, type="date", value=day.isoformat(), required=True)
            _choice("assistant", say("insights_assistant"), {"": say("insights_all"), **speakers}, asked.speaker)
            _choice("caller", say("insights_caller"), {"": say("insights_all"), **callers}, asked.caller)
            others = {id_: name for id_, name in speakers.items() if id_ != asked.speaker}
            _choice(
                "compare", say("insights_compare"), {"": say("insights_nothing"), BEFORE: say("insights_before"), **others}, asked.compare
            )
            Text("button", say("insights_show"), "btn go", type="submit")
        with Box("nav", "report-line", aria_label=say("insights_presets")):
            today = read_asked({}, zone_name(asked)).period.last
            for days in _PRESETS:
                Text("a", say("insights_days", count=days), "btn small", href=asked.page(today - timedelta(days=days - 1), today))


def _choice(name: str, label: str, options: Mapping[str, str], chosen: str) -> None:
    with Box("label"):
        Text("span", label)
        with Box("select", name=name):
            for value, text in options.items():
                Text("option", text, value=value, selected=True if value == chosen else None)


async def _browser_zone() -> str:
    """The browser's time zone; UTC if it does not say: it may be slow, or its tab asleep."""
    try:
        return str(await ui.run_javascript("Intl.DateTimeFormat().resolvedOptions().timeZone", timeout=_ZONE_WITHIN_S))
    except TimeoutError:
        return "UTC"
