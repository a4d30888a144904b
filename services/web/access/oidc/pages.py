"""The two small pages of a sign-in at an identity provider, which work without JavaScript."""

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
<p role="$role">$said</p>
<p><a href="$href">$link</a></p>
</main>
</body>
</html>
""")


def onward_page(request: Request, path: str) -> HTMLResponse:
    """Leads on to a path of ours. A redirect would not do: the browser sends no strict cookie along if the provider's site began it."""
    say = _words(request)
    return _page(request, say, "status", say.say("login_signed_in"), path, say.say("login_onward"), refresh=True)


def failed_page(request: Request, reason: str, status: int, next_path: str, *, count: int | None = None) -> HTMLResponse:
    """Says why nobody is signed in, and leads back to the login page."""
    say = _words(request)
    return _page(request, say, "alert", say.say(f"login_failed_{reason}", count=count), next_path, say.say("login_again"), status=status)


def _words(request: Request) -> Catalogue:
    return catalogue(preferred_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE_COOKIE, "")))


def _page(
    request: Request, words: Catalogue, role: str, said: str, href: str, link: str, *, status: int = 200, refresh: bool = False
) -> HTMLResponse:
    theme = request.cookies.get(THEME_COOKIE)
    page = _PAGE.substitute(
        root=address(""),
        language=words.tag,
        theme=f' data-theme="{theme}"' if theme in ("light", "dark") else "",
        refresh=f'<meta http-equiv="refresh" content="0;url={escape(href)}">\n' if refresh else "",
        title=escape(words.say("login_title")),
        role=role,
        said=escape(said),
        href=escape(href),
        link=escape(link),
    )
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})
