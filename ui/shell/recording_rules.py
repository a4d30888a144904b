"""Which calls may be recorded, by the called country: in the panel of the stop switch, for owners."""

from collections.abc import Callable
from dataclasses import replace

from nicegui.events import GenericEventArguments
from phonenumbers import SUPPORTED_REGIONS

from services.desk.placing.consents import Consents
from services.domain.consent import LONGEST_SENTENCE, SENTENCES, RecordingMode, RecordingRules, checked
from services.domain.errors import EarshotError
from services.domain.phone_number import region_name
from services.support.words import catalogue, languages
from ui.kit.following import follow
from ui.kit.given import fields_of, text_of
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import language, say

_VALUE = "(event) => emit(event.target.value)"
_ADD = """(event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  emit({region: given.get('region'), mode: given.get('mode')});
}"""


class RecordingRulesPanel:
    """Each change is written at once. Follows what any process changes."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents
        self._built = False
        with Box("details", "recording-rules", data_testid="recording-rules").on("toggle", self._build):
            Text("summary", say("recording_rules"))
            self._body = Box()

    def _build(self) -> None:
        """Once it is opened: it names every country."""
        if self._built:
            return
        self._built = True
        with self._body:
            Text("p", say("recording_rules_explained"))
            self._rows = Box("ul")
            self._add_row()
            self._sentences()
            self._notice = Notice()
        self._show()
        follow(self._consents.changed, lambda _: self._show())

    def _show(self) -> None:
        """The rules anew, since another page may have changed them."""
        rules = self._consents.rules
        self._rows.clear()
        with self._rows:
            for region, mode in sorted(rules.regions.items(), key=lambda rule: _country(rule[0])):
                self._row(region, mode)
            with Box("li"), Box("label"):
                Text("span", say("other_countries"))
                self._modes(rules.default, self._change_default).props["data-testid"] = "recording-default"

    def _row(self, region: str, mode: RecordingMode) -> None:
        async def change(event: GenericEventArguments) -> None:
            await self._alter(lambda rules: _checked(rules, regions={**rules.regions, region: text_of(event)}))

        async def remove() -> None:
            await self._alter(lambda rules: _checked(rules, regions={name: kept for name, kept in rules.regions.items() if name != region}))

        country = _country(region)
        with Box("li"):
            with Box("label"):
                Text("span", country)
                self._modes(mode, change)
            Text("button", say("remove_country"), "btn", type="button", aria_label=say("remove_rule_of", country=country)).on(
                "click", remove
            )

    def _modes(self, chosen: RecordingMode, change: Callable[..., object]) -> Box:
        with Box("select") as select:
            for mode in RecordingMode:
                Text("option", say(f"may_record_{mode.value}"), value=mode.value, selected=mode is chosen or None)
        select.on("change", change, js_handler=_VALUE)
        return select

    def _add_row(self) -> None:
        with Box("form", "recording-rule").on("submit", self._add, js_handler=_ADD):
            with Box("select", name="region", aria_label=say("country"), data_testid="recording-region"):
                for name, region in sorted((_country(region), region) for region in SUPPORTED_REGIONS):
                    Text("option", name, value=region)
            with Box("select", name="mode", aria_label=say("recording_rules"), data_testid="recording-mode"):
                for mode in RecordingMode:
                    Text("option", say(f"may_record_{mode.value}"), value=mode.value)
            Text("button", say("add_country"), "btn", type="submit", data_testid="recording-add")

    def _sentences(self) -> None:
        Text("p", say("announcements"))
        own = self._consents.rules.sentences
        for tag in dict.fromkeys([*SENTENCES, *own]):
            with Box("label"):
                Text("span", catalogue(tag).name if tag in languages() else tag)
                Box("input", value=own.get(tag, SENTENCES.get(tag, "")), maxlength=LONGEST_SENTENCE, data_testid=f"sentence-{tag}").on(
                    "change", self._writing(tag), js_handler=_VALUE
                )

    def _writing(self, tag: str) -> Callable[[GenericEventArguments], object]:
        async def write(event: GenericEventArguments) -> None:
            await self._alter(lambda rules: _checked(rules, sentences={**rules.sentences, tag: text_of(event)}))

        return write

    async def _add(self, event: GenericEventArguments) -> None:
        given = fields_of(event)
        region, mode = str(given.get("region")), str(given.get("mode"))
        await self._alter(lambda rules: _checked(rules, regions={**rules.regions, region: mode}))

    async def _change_default(self, event: GenericEventArguments) -> None:
        await self._alter(lambda rules: replace(_checked(rules), default=checked(text_of(event), {}, {}).default))

    async def _alter(self, change: Callable[[RecordingRules], RecordingRules]) -> None:
        self._notice.hide()
        try:
            await self._consents.alter(change, visitor())
        except EarshotError as error:
            self._notice.show_error(error)


def _checked(rules: RecordingRules, *, regions: dict[str, str] | None = None, sentences: dict[str, str] | None = None) -> RecordingRules:
    return checked(
        rules.default,
        dict(rules.regions) if regions is None else regions,
        dict(rules.sentences) if sentences is None else sentences,
    )


def _country(region: str) -> str:
    return region_name(region, language()) or region
