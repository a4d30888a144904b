"""The language and the colours a browser gets: those chosen on the page, else those the browser asks for."""

from services.support.words import ENGLISH, languages

COOKIE = "earshot_language"
THEME_COOKIE = "earshot_theme"
"""`light` or `dark` if the reader chose one; without it the browser's system decides."""


def preferred_language(accepted: str, chosen: str = "") -> str:
    """One of `languages()`: `chosen` if it is one, else the best match of an `Accept-Language` header (RFC 9110, 12.5.4), else English."""
    if chosen in languages():
        return chosen
    best, best_weight = ENGLISH, 0.0
    for entry in accepted.split(","):
        wanted, _, parameter = entry.partition(";")
        language = _match(wanted.strip().lower())
        if language and (weight := _weight(parameter)) > best_weight:
            best, best_weight = language, weight
    return best


def _match(wanted: str) -> str | None:
    """The language for a tag such as `de-at`: the same tag if it has a file, else the first one with the same primary language."""
    offered = languages()
    same = (language for language in offered if language.lower() == wanted)
    related = (language for language in offered if language.lower().partition("-")[0] == wanted.partition("-")[0])
    return next(same, None) or next(related, None)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
