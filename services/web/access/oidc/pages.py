"""The two small pages of a sign-in at an identity provider, which work without JavaScript."""

from html import escape

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.web.access.login_page import login_page, words_of


def onward_page(request: Request, path: str) -> HTMLResponse:
    """Leads on to a path of ours. A redirect would not do: the browser sends no strict cookie along if the provider's site began it."""
    say = words_of(request).say
    return _page(request, "status", say("login_signed_in"), path, say("login_onward"), refresh=True)


def failed_page(request: Request, reason: str, status: int, next_path: str, *, count: int | None = None) -> HTMLResponse:
    """Says why nobody is signed in, and leads back to the login page."""
    say = words_of(request).say
    return _page(request, "alert", say(f"login_failed_{reason}", count=count), next_path, say("login_again"), status=status)


def _page(request: Request, role: str, said: str, href: str, link: str, *, status: int = 200, refresh: bool = False) -> HTMLResponse:
    body = f'<p role="{role}">{escape(said)}</p>\n<p><a href="{escape(href)}">{escape(link)}</a></p>'
    return login_page(request, "login_title", body, status=status, has_form=False, refresh_to=href if refresh else None)
