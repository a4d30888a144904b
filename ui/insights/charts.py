"""The charts: ECharts through NiceGUI, drawn as SVG, in the colours of the page. A press leads to the calls behind a bar or point."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from services.desk.insights import ACTIVE
from services.domain.insights import ENOUGH, ENOUGH_MEASURED, Insights, Tally
from services.domain.rule import ANY_RULE
from services.measures.figures import SPEAKERS
from services.vapi.ended_reasons import Family
from ui.insights.asked import Asked
from ui.insights.numbers import day_name
from ui.kit.markup import Text, set_props
from ui.words import say

Lead = Callable[[str], None]
_DIM = {"color": "var(--dim)"}
_LINE = {"lineStyle": {"color": "var(--line)"}}


def outcomes(found: Insights, asked: Asked, lead: Lead) -> None:
    """Calls a day by outcome."""
    families = [family for family in (*(family.value for family in Family), ACTIVE) if any(day.outcomes.get(family) for day in found.days)]
    series = [
        {
            "type": "bar",
            "stack": "calls",
            "name": outcome_name(family),
            "itemStyle": {"color": f"var(--outcome-{family})"},
            "data": [day.outcomes.get(family, 0) for day in found.days],
        }
        for family in families
    ]

    def press(day: int, name: int) -> None:
        # The list has ended calls alone; active ones stand above it.
        lead(asked.calls(found.days[day].day, family="" if families[name] == ACTIVE else families[name]))

    _chart("insights_outcomes", _days(found), series, press)


def rates(found: Insights, asked: Asked, lead: Lead) -> None:
    """The answer rate of each day that has enough attempts."""
    data = [None if (rate := day.tally.answer_rate) is None else round(100 * rate, 1) for day in found.days]
    if all(rate is None for rate in data):
        _heading("insights_rate")
        too_few()
        return
    axis = {"max": 100, "axisLabel": {**_DIM, "formatter": "{value} %"}}
    _chart(
        "insights_rate",
        _days(found),
        [_line(say("insights_rate"), "accent", data)],
        lambda day, _: lead(asked.calls(found.days[day].day)),
        axis,
    )


def too_few() -> None:
    """Why there is no rate."""
    Text("p", say("insights_few", fewest=str(ENOUGH)), "report-note")


def minutes_and_cost(found: Insights, asked: Asked, lead: Lead) -> None:
    for name, colour, values in (
        ("insights_minutes", "assistant", [round(day.tally.talk_ms / 60_000, 1) for day in found.days]),
        ("insights_cost", "customer", [round(day.tally.cost, 2) for day in found.days]),
    ):
        bars = {"type": "bar", "name": say(name), "itemStyle": {"color": f"var(--{colour})"}, "data": values}
        _chart(name, _days(found), [bars], lambda day, _: lead(asked.calls(found.days[day].day)))


def conversations(found: Insights, asked: Asked, lead: Lead) -> None:
    """How soon the assistant answers, and how often who interrupts whom in a call: of each day with enough measured calls."""
    if all(day.tally.response_s is None and day.tally.interruptions is None for day in found.days):
        _heading("insights_response_by_day")
        Text("p", say("insights_few_measured", fewest=str(ENOUGH_MEASURED)), "report-note")
        return

    def press(day: int, _: int) -> None:
        lead(asked.calls(found.days[day].day))

    seconds = [None if (mean := day.tally.response_s) is None else round(mean, 2) for day in found.days]
    axis = {"min": 0, "minInterval": None, "axisLabel": {**_DIM, "formatter": "{value} s"}}
    _chart("insights_response_by_day", _days(found), [_line(say("insights_response"), "assistant", seconds)], press, axis)
    lines = []
    for side, speaker in enumerate(SPEAKERS):
        per_call = [None if (means := day.tally.interruptions) is None else round(means[side], 2) for day in found.days]
        lines.append(_line(say(f"insights_interrupted_by_{speaker}"), speaker, per_call))
    _chart("insights_interruptions_by_day", _days(found), lines, press, {"min": 0, "minInterval": None})


def alerted(found: Insights, asked: Asked, lead: Lead) -> None:
    """Calls with alerts a day."""
    bars = {
        "type": "bar",
        "name": say("insights_alerted"),
        "itemStyle": {"color": "var(--accent)"},
        "data": [day.alerted for day in found.days],
    }
    _chart("insights_alerted_by_day", _days(found), [bars], lambda day, _: lead(asked.calls(found.days[day].day, alert=ANY_RULE)))


def _line(name: str, colour: str, data: Sequence[float | None]) -> dict[str, Any]:
    paint = {"color": f"var(--{colour})"}
    return {"type": "line", "name": name, "itemStyle": paint, "lineStyle": paint, "data": data}


def sides(title: str, tallies: Mapping[str, Tally], names: Mapping[str, str], addresses: Mapping[str, str], lead: Lead) -> None:
    """Calls by assistant or by caller ID, the largest first."""
    ids = list(tallies)[:_MOST_SIDES]
    bars = {
        "type": "bar",
        "name": say("insights_calls"),
        "itemStyle": {"color": "var(--accent)"},
        "data": [tallies[id_].calls for id_ in ids],
    }
    _chart(title, [names[id_] for id_ in ids], [bars], lambda place, _: lead(addresses[ids[place]]) if addresses[ids[place]] else None)


_MOST_SIDES = 12


def outcome_name(family: str) -> str:
    return say("insights_active") if family == ACTIVE else say(f"family_{Family(family).name.lower()}")


def _days(found: Insights) -> list[str]:
    return [day_name(day.day) for day in found.days]


def _heading(title: str) -> Text:
    return Text("h2", say(title))


def _chart(
    title: str,
    names: Sequence[str],
    series: Sequence[Mapping[str, Any]],
    press: Callable[[int, int], None],
    axis: Mapping[str, Any] | None = None,
) -> None:
    """`press` is called with the places of the bar or point and of its series."""
    _heading(title)
    options = {
        "animation": False,
        "textStyle": _DIM,
        "grid": {"left": 48, "right": 12, "top": 36 if len(series) > 1 else 14, "bottom": 28},
        "legend": {"show": len(series) > 1, "top": 0, "left": 0, "type": "scroll", "textStyle": _DIM},
        "tooltip": {
            "trigger": "axis",
            "axisPointer": {"type": "shadow"},
            "backgroundColor": "var(--card)",
            "borderColor": "var(--edge)",
            "textStyle": {"color": "var(--ink)"},
            "confine": True,
        },
        "xAxis": {"type": "category", "data": list(names), "axisLine": _LINE, "axisTick": {"show": False}, "axisLabel": _DIM},
        "yAxis": {"type": "value", "minInterval": 1, "splitLine": _LINE, "axisLabel": _DIM, **(axis or {})},
        "series": [{"emphasis": {"disabled": True}, "barMaxWidth": 28, "cursor": "pointer", **one} for one in series],
    }
    chart = ui.echart(options, renderer="svg").classes("insights-chart")
    chart.on_point_click(lambda event: press(event.data_index, event.series_index or 0))
    set_props(chart, role="img", aria_label=f"{say(title)}. {say('insights_in_table')}")
