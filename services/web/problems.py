"""Turns errors into `application/problem+json` (RFC 9457), in one shape for every route and for FastAPI's own errors."""

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from services.domain.errors import DuplicateCall, EarshotError, FieldError
from services.support.root_path import address

log = logging.getLogger(__name__)

_MOST_FIELDS = 100
_LONGEST_NAME = 100  # characters of a field's name: an unknown one may be a megabyte
_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "not_json"}
_DETAILS = {
    400: "The body is not valid JSON.",
    404: "Nothing exists at this address. The routes are listed in /openapi.json.",
    405: "This address does not support this method. The Allow header names those it supports.",
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request is refused, with the reason (RFC 9457)", "content": {"application/problem+json": {}}},
    "5XX": {
        "description": "Vapi or Earshot failed, with the reason (RFC 9457)",
        "content": {"application/problem+json": {}},
    },
}
"""The error responses of every route, for OpenAPI."""


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    title: str | None = None,
    retryable: bool = False,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """An error response. `errors` name the wrong fields."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
        **more,
    }
    if errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in errors]
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def problem_of(error: EarshotError, **more: Any) -> JSONResponse:
    """The response for one of our errors."""
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after is not None else None
    if isinstance(error, DuplicateCall):
        more = {"links": {"first": address(f"/api/calls/{error.call_id}")}, **more}
    return problem(
        error.status,
        error.code,
        error.detail,
        title=error.title,
        retryable=error.retryable,
        errors=error.errors,
        headers=headers,
        **more,
    )


def invalid(found: Sequence[Any]) -> JSONResponse:
    """The response to a request that pydantic refuses, from its errors: the first 100 of them."""
    fields = [FieldError(_field(item["loc"]), _sentence(item)) for item in found[:_MOST_FIELDS]]
    detail = "; ".join(f"{item.field}: {item.message}" if item.field else item.message for item in fields)
    return problem(422, "invalid_request", detail, title="The request is not valid", errors=fields)


def install_problems(app: FastAPI) -> None:
    """Makes `app` answer every error in this shape."""

    @app.exception_handler(EarshotError)
    async def ours(_request: Request, error: EarshotError) -> JSONResponse:
        return problem_of(error)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "http_error")
        return problem(error.status_code, code, _DETAILS.get(error.status_code, str(error.detail)), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        if any(item["type"] == "json_invalid" for item in found):
            return problem(400, "malformed_json", "The body is not valid JSON.")
        return invalid(found)

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed unexpectedly", exc_info=error)
        return problem(500, "internal_error", "Something went wrong in Earshot. See the log for details.")


def allow_only(router: APIRouter, path: str, *methods: str) -> None:
    """Has `path` answer every other method with 405 and these. Starlette would list only the methods of the first of its routes."""

    async def refuse(_request: Request) -> JSONResponse:
        raise HTTPException(405, headers={"Allow": ", ".join(methods)})

    others = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"} - {*methods}
    router.routes.append(Route(path, refuse, methods=sorted(others)))


def _field(location: Sequence[int | str]) -> str:
    return ".".join(str(part)[:_LONGEST_NAME] for part in location if part not in ("body", "query", "path"))


def _sentence(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "Unknown field."
    return str(item["msg"]).removeprefix("Value error, ")
