"""`/docs`: Swagger UI from the package fastapi-offline, so that the page loads nothing from other hosts."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from services.support.content_policy import with_nonce
from services.support.root_path import address

ROUTE = "/docs"
_STATIC = f"{ROUTE}/static"
_OPTIONS = {
    "validatorUrl": None,  # otherwise the API's description would be sent to a website
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
    "tryItOutEnabled": False,
}
# Swagger UI has dark colours, but leaves it to the page to ask for them.
_HEAD = (
    '<meta name="color-scheme" content="light dark">'
    '<script>document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches)</script>'
)


def install_docs(api: FastAPI) -> None:
    """Puts the page and its files on `api`, whose own `docs_url` has to be None. Neither is part of the API that it describes."""
    page = get_swagger_ui_html(
        openapi_url=address(api.openapi_url or "/openapi.json"),
        title=f"{api.title} API",
        swagger_js_url=address(f"{_STATIC}/swagger-ui-bundle.js"),
        swagger_css_url=address(f"{_STATIC}/swagger-ui.css"),
        swagger_favicon_url=address("/favicon.ico"),
        swagger_ui_parameters=_OPTIONS,
    )
    html = bytes(page.body).decode().replace("<head>", f"<head>{_HEAD}", 1)
    api.mount(_STATIC, StaticFiles(directory=_files()))

    @api.get(ROUTE, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(with_nonce(html, request.scope))


def _files() -> Path:
    """Where the package keeps Swagger UI. It is not imported: what it could do besides is not wanted here."""
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fastapi-offline is missing, which carries the files of /docs. See requirements.txt.")
    return Path(package.origin).parent / "static"
