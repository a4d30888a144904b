"""What the pages around a login share. They work without JavaScript."""

from html import escape
from string import Template

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.support.language import COOKIE as LANGUAGE_COOKIE
from services.support.language import THEME_COOKIE, preferred_language
from services.support.root_path import address
from services.support.words import Catalogue, catalogue

_PAGE = Template("""<!doctype html>
<html lang="$language"$theme>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
$refresh<title>$title</title>
<link rel="stylesheet" href="$root/assets/styles/login.css">
</head>
<body>
<main>
<h1><svg width="26" height="26" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="2.2"
stroke-linecap="round" d="M4 12v0M8 8v8M12 4.5v15M16 8v8M20 11v2"/></svg>Earshot</h1>
$body
</main>
</body>
</html>
""")


def words_of(request: Request) -> Catalogue:
    """The texts in the reader's language."""
    return catalogue(preferred_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE_COOKIE, "")))


def login_page(
    request: Request, title: str, body: str, *, status: int = 200, has_form: bool = True, refresh_to: str | None = None
) -> HTMLResponse:
    """A page in the reader's language and colours. `body` is HTML. `refresh_to` is where the browser goes at once."""
    words, theme = words_of(request), request.cookies.get(THEME_COOKIE)
    page = _PAGE.substitute(
        root=address(""),
        language=words.tag,
        theme=f' data-theme="{theme}"' if theme in ("light", "dark") else "",
        refresh="" if refresh_to is None else f'<meta http-equiv="refresh" content="0;url={escape(refresh_to)}">\n',
        title=escape(words.say(title)),
        body=body,
    )
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    if has_form:
        # With `no-referrer`, as on other pages, a browser would send the form with `Origin: null`, which the gatekeeper refuses.
        headers["Referrer-Policy"] = "same-origin"
    return HTMLResponse(page, status, headers=headers)
