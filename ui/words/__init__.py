"""The page's texts, in the language of the page on whose behalf the code runs."""

from collections.abc import Iterator
from copy import copy
from string import Formatter
from typing import get_args
from weakref import WeakKeyDictionary

from babel import Locale
from babel.lists import format_list
from nicegui.language import Language

from services.domain.call import CallStatus
from services.support.language import COOKIE, preferred_language
from services.support.words import ENGLISH, Catalogue, Text, catalogue
from ui.tab import Tab, tab

_languages: WeakKeyDictionary[Tab, str] = WeakKeyDictionary()


def choose_language() -> None:
    """Sets the language that the browser wants for the page being built and for its `<html lang>`. Call it before building any text."""
    client = tab()
    request = client.request
    tag = preferred_language(request.headers.get("accept-language", ""), request.cookies.get(COOKIE, ""))
    _languages[client] = tag
    client.page = copy(client.page)  # NiceGUI shares one page object among all clients
    client.page.language = _quasar_pack(tag)
    if not client.page.language.startswith(tag):  # Quasar has no pack for it and says `en-US` when it starts
        client.on_connect(lambda: client.run_javascript(f"document.documentElement.lang = {tag!r}"))


def language() -> str:
    """The tag of the current page's language, such as `de`. English outside a page."""
    try:
        return _languages.get(tab(), ENGLISH)
    except RuntimeError:
        return ENGLISH


def words() -> Catalogue:
    """The catalogue of the current page's language."""
    return catalogue(language())


def say(key: str, /, *, count: int | None = None, **values: str) -> str:
    """The text of `key` with its placeholders filled, in the plural form that fits `count`."""
    return words().say(key, count=count, **values)


def text(key: str) -> Text:
    """The text of `key`, or all its plural forms, with the placeholders left for the browser to fill."""
    return words().texts[key]


def parts(key: str) -> Iterator[tuple[str, str | None]]:
    """The text of `key` split at its placeholders: each piece with the name of the placeholder after it, which may become an element."""
    for literal, name, _, _ in Formatter().parse(str(text(key))):
        yield literal, name


def joined(names: tuple[str, ...]) -> str:
    """`a`, `a and b`, or `a, b, and c`."""
    return format_list(names, locale=locale())


def dollars(amount: float, *, digits: int = 2) -> str:
    """`$0.12`, or as the page's language writes it: `0,12 $`. `digits` after the decimal point."""
    from babel.numbers import format_currency  # 3 ms that only a page with a price needs

    pattern = Locale.parse(locale()).currency_formats["standard"].pattern.replace("0.00", f"0.{'0' * digits}")
    return format_currency(amount, "USD", pattern, locale(), currency_digits=False)


def state(status: CallStatus) -> str:
    """A call's state as people say it: `Answered`."""
    return say(f"state_{status.name.lower()}")


def locale() -> str:
    """The name of the page's language as babel writes it."""
    return language().replace("-", "_")


def _quasar_pack(tag: str) -> Language:
    """NiceGUI's language pack for `tag`; US English if it has none."""
    packs: tuple[Language, ...] = get_args(Language)
    same = [pack for pack in packs if pack.partition("-")[0] == tag.partition("-")[0]]
    preferred = [pack for pack in same if pack in (tag, "en-US")]
    return next(iter(preferred or same), "en-US")


def decimal(number: float) -> str:
    """`0.9`, or as the page's language writes it: `0,9`."""
    from babel.numbers import format_decimal  # 3 ms that only a page with such a number needs

    return format_decimal(number, "0.0", locale())


def percent(share: float) -> str:
    """`41%`, or as the page's language writes it: `41 %`. `share` is from 0 to 1."""
    from babel.numbers import format_percent  # 3 ms that only a page with such a number needs

    return format_percent(share, locale=locale())
