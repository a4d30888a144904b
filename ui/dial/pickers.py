"""Choice of assistant or squad, and of caller ID, from Vapi's lists. The ones from the environment are preselected."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.desk.desk import CallDesk
from services.domain.call import CallerId
from services.domain.phone_number import international, region_name
from ui.kit.markup import Box, Text, set_props
from ui.kit.picker import Picker, short
from ui.words import language, say

_FREE_REGION = "US"  # all free Vapi numbers are US numbers, and can call only the United States
_MAX_ID = 80
_SQUAD = "squad:"
"""Before the id of a squad, in the list that also has the assistants."""


class Pickers:
    """Two lists in a form, and notes on the choice. If Vapi's lists can't be loaded, the preselected ones stay."""

    def __init__(self, *, desk: CallDesk) -> None:
        self._desk = desk
        self._speaker, self.phone_number_id = desk.assistant_id, desk.phone_number_id
        with Box(classes="pickers"):
            self._speakers = _picker("assistant", say("assistant"), desk.assistant_id)
            self._caller_ids = _picker("caller-id", say("caller_id"), desk.phone_number_id)
        with Box("p", "aside") as self._failed:
            Text("span", say("lists_failed"))
            self._again = Text("button", say("try_again"), "link", type="button").on("click", self._load_again)
        self._free = Text("p", "", "aside")
        self.refresh()
        self.show_limits(None)

    @property
    def squad_id(self) -> str | None:
        """The chosen squad; None if an assistant was chosen."""
        return self._speaker.removeprefix(_SQUAD) if self._speaker.startswith(_SQUAD) else None

    @property
    def assistant_id(self) -> str | None:
        return None if self.squad_id else self._speaker

    @property
    def variables(self) -> Sequence[str]:
        """The names of the variables in the texts of the assistant or squad that speaks."""
        return self._desk.directory.variables(assistant_id=self.assistant_id or "", squad_id=self.squad_id or "")

    def refresh(self) -> None:
        """Shows Vapi's current lists."""
        directory = self._desk.directory
        self._speakers.offer(
            (say("assistants"), [(item.id, item.name or short(item.id)) for item in directory.assistants.values()]),
            (say("squads"), [(_SQUAD + item.id, item.name or short(item.id)) for item in directory.squads.values()]),
        )
        self._caller_ids.offer(("", [(item.id, _line(item)) for item in directory.caller_ids.values()]))
        self._failed.set_visibility(directory.failed)

    def choose(self, args: Mapping[str, Any]) -> bool:
        """Reads the choice from the form's fields. True if it is another one than before."""
        before = self._speaker, self.phone_number_id
        self._speaker = _id(args.get("assistant")) or self._desk.assistant_id
        self.phone_number_id = _id(args.get("caller_id")) or self._desk.phone_number_id
        return before != (self._speaker, self.phone_number_id)

    def show_limits(self, region: str | None) -> None:
        """Says what a free Vapi number can't do, if one is chosen. `region` is where the call goes; None if unknown."""
        line = self._desk.directory.caller_ids.get(self.phone_number_id)
        if line is None or line.provider != "vapi":
            self._free.show("")
        elif region in (None, _FREE_REGION):
            self._free.show(say("free_number"))
        else:
            self._free.show(say("free_number_abroad", country=region_name(region, language())))

    async def _load_again(self) -> None:
        set_props(self._again, disabled=True)
        try:
            await self._desk.directory.load()
        finally:
            set_props(self._again, disabled=False)


def _picker(name: str, title: str, preset: str) -> Picker:
    return Picker(name, title, preset=preset, absent=say("as_set_up") if preset else say("not_set_up"), testid=f"dial-{name}")


def _line(item: CallerId) -> str:
    return ", ".join(filter(None, (item.name, international(item.number or "")))) or short(item.id)


def _id(value: Any) -> str:
    return value[:_MAX_ID] if isinstance(value, str) else ""
