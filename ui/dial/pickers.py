"""Choice of assistant and caller ID from Vapi's lists. The ones from the environment are preselected."""

from collections.abc import Iterable
from typing import Any

from services.desk.desk import CallDesk
from services.domain.call import CallerId
from services.domain.phone_number import international, region_name
from ui.kit.markup import Box, Text, set_props
from ui.words import language, say

_FREE_REGION = "US"  # all free Vapi numbers are US numbers, and can call only the United States
_MAX_ID = 64


class Pickers:
    """Two lists in a form, and notes on the choice. If Vapi's lists can't be loaded, the preselected ones stay."""

    def __init__(self, *, desk: CallDesk) -> None:
        self._desk = desk
        self.assistant_id, self.phone_number_id = desk.assistant_id, desk.phone_number_id
        with Box(classes="pickers"):
            self._assistants = _Picker("assistant", say("assistant"))
            self._caller_ids = _Picker("caller-id", say("caller_id"))
        with Box("p", "aside") as self._failed:
            Text("span", say("lists_failed"))
            self._again = Text("button", say("try_again"), "link", type="button").on("click", self._load_again)
        self._free = Text("p", "", "aside")
        self.refresh()
        self.show_limits(None)

    def refresh(self) -> None:
        """Shows Vapi's current lists."""
        directory = self._desk.directory
        self._assistants.offer(((item.id, item.name or short(item.id)) for item in directory.assistants.values()), self.assistant_id)
        self._caller_ids.offer(((item.id, _line(item)) for item in directory.caller_ids.values()), self.phone_number_id)
        self._failed.set_visibility(directory.failed)

    def choose(self, args: dict[str, Any]) -> None:
        """Reads the choice from the form's fields."""
        self.assistant_id = _id(args.get("assistant")) or self._desk.assistant_id
        self.phone_number_id = _id(args.get("caller_id")) or self._desk.phone_number_id

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


class _Picker:
    def __init__(self, name: str, title: str) -> None:
        with Box("label", "sel"):
            Text("span", title)
            self._select = Box("select", name=name, data_testid=f"dial-{name}")

    def offer(self, options: Iterable[tuple[str, str]], chosen: str) -> None:
        offered = sorted(options, key=lambda option: option[1].casefold())
        if chosen not in [option for option, _ in offered]:
            offered.insert(0, (chosen, say("as_set_up") if chosen else say("not_set_up")))
        self._select.clear()
        with self._select:
            for option, text in offered:
                # Not as the list's value: every update of the page would set that again, and undo what the user chose meanwhile.
                Text("option", text, value=option, selected=option == chosen or None)


def short(identifier: str) -> str:
    return f"{identifier[:8]}…"


def _line(item: CallerId) -> str:
    return ", ".join(filter(None, (item.name, international(item.number or "")))) or short(item.id)


def _id(value: Any) -> str:
    return value[:_MAX_ID] if isinstance(value, str) else ""
