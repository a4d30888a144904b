"""The whole web app: page and API behind the checks that every request passes."""

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.desk.lists.made_tokens import MadeTokens
from services.settings import Settings
from services.web.access.authentication import Authentication
from services.web.access.cors import with_cors
from services.web.access.gatekeeper import Gatekeeper
from services.web.access.sessions import Sessions
from services.web.access.tokens import read_tokens
from services.web.server.face_router import FaceRouter
from services.web.server.root_path import RootPath
from services.web.server.server import LastAnswers


def web_app(settings: Settings, faces: FaceRouter, sessions: Sessions | None, made: MadeTokens) -> ASGIApp:
    """The faces behind their checks: trusted proxies, host names and origins, and authentication."""
    authentication = Authentication(faces, sessions=sessions, tokens=read_tokens(settings.api_tokens), made=made)
    access = with_cors(authentication, settings.allowed_origins)
    if settings.root_path:
        access = RootPath(access)
    gatekeeper = Gatekeeper(access, allowed_hosts=settings.allowed_hosts, allowed_origins=settings.allowed_origins)
    app: ASGIApp = LastAnswers(gatekeeper)
    if not settings.trusted_proxies:
        return app
    return ProxyHeadersMiddleware(app, trusted_hosts=sorted(settings.trusted_proxies))  # type: ignore[arg-type,return-value]
