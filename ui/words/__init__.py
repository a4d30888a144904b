"""Every text that the page shows of its own, by key, in the language of the page that asks."""

from collections.abc import Iterator, Mapping
from copy import copy
from string import Formatter

from nicegui import ui
from nicegui.language import Language

from services.domain.call import CallStatus
from services.support.language import COOKIE, LANGUAGES, preferred_language
from ui.words.english import ENGLISH
from ui.words.german import GERMAN

CATALOGUES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}
_TAGS: Mapping[str, Language] = {"en": "en-US", "de": "de"}


def choose_language() -> None:
    """Gives the page that is being built, and its `<html lang>`, the language that its browser wants. Before any text of it."""
    client = ui.context.client
    request = client.request
    language = preferred_language(request.headers.get("accept-language", ""), request.cookies.get(COOKIE, ""))
    client.page = copy(client.page)  # NiceGUI has one for everybody
    client.page.language = _TAGS[language]


def language() -> str:
    """The language of the page on whose behalf the code runs: `en` or `de`. English where there is no page."""
    try:
        tag = ui.context.client.page.language
    except RuntimeError:
        return LANGUAGES[0]
    return next((language for language in LANGUAGES if _TAGS[language] == tag), LANGUAGES[0])


def say(key: str, **values: str) -> str:
    """The text of `key` with its gaps filled."""
    return text(key).format(**values)


def text(key: str) -> str:
    """The text of `key` with its gaps open, for what fills them in the browser."""
    return CATALOGUES[language()][key]


def parts(key: str) -> Iterator[tuple[str, str | None]]:
    """The text of `key` cut at its gaps: each piece with the name of the gap after it, so that what fills a gap can be an element."""
    for literal, gap, _, _ in Formatter().parse(text(key)):
        yield literal, gap


def both(names: tuple[str, ...]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return say("and").join(filter(None, (", ".join(names[:-1]), names[-1])))


def state(status: CallStatus) -> str:
    """A call's state as people say it: `Answered`."""
    return say(f"state_{status.name.lower()}")


class _States(Mapping[CallStatus, str]):
    def __getitem__(self, status: CallStatus) -> str:
        return state(status)

    def __iter__(self) -> Iterator[CallStatus]:
        return iter(CallStatus)

    def __len__(self) -> int:
        return len(CallStatus)


STATUS = _States()
"""`state` as a mapping."""
