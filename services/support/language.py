"""In which language, and in which light, a browser is answered: as chosen on the page, else as it asks for. Pure."""

LANGUAGES = ("en", "de")
COOKIE = "earshot_language"
THEME_COOKIE = "earshot_theme"
"""`light` or `dark` where that was chosen; without it, as the browser's system is."""


def preferred_language(accepted: str, chosen: str = "") -> str:
    """One of `LANGUAGES`: `chosen` if it is one, else the best of an `Accept-Language` header (RFC 9110, 12.5.4), else English."""
    if chosen in LANGUAGES:
        return chosen
    best, weight = LANGUAGES[0], 0.0
    for entry in accepted.split(","):
        name, _, parameter = entry.partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and (wanted := _weight(parameter)) > weight:
            best, weight = language, wanted
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
