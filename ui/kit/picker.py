"""A list of names to choose one from, with a search field where it is long."""

from collections.abc import Iterable, Sequence

from nicegui.element import Element

from ui.kit.markup import set_props
from ui.words import say

Option = tuple[str, str]
"""The value that the form sends, and the name that people read."""


class Picker(Element, component="picker.js"):
    """A field `name` in a form. `preset` is chosen at first; `absent` is what it is called if the list does not have it."""

    def __init__(self, name: str, title: str, *, preset: str = "", absent: str = "", testid: str = "") -> None:
        super().__init__()
        words = {word: say(word) for word in ("search_names", "no_names", "deleted")}
        set_props(self, name=name, title=title, testid=testid, preset=preset, groups=[], words={**words, "absent": absent})

    def offer(self, *groups: tuple[str, Iterable[Option]]) -> None:
        """Shows these options by their titles; a group that is empty is left out, and a title too where there is one group."""
        filled = [(title, named(options)) for title, options in groups]
        filled = [(title, options) for title, options in filled if options]
        set_props(self, groups=[{"title": title if len(filled) > 1 else "", "options": options} for title, options in filled])


def named(options: Iterable[Option]) -> Sequence[Option]:
    """By name. Who shares a name with another has a part of its id beside it."""
    listed = sorted(options, key=lambda option: (option[1].casefold(), option[0]))
    names = [name for _, name in listed]
    return [(value, f"{name} ({short(value)})" if names.count(name) > 1 else name) for value, name in listed]


def short(identifier: str) -> str:
    """The beginning of an id, behind a prefix such as `squad:`."""
    return f"{identifier.rsplit(':', 1)[-1][:8]}…"
