"""Each test that serves the API makes all its routes and asks for a few of them. In the tests FastAPI works out the parameters and
validators of a route when the route is first asked for, and makes equal validators once.

An unused route that FastAPI would refuse is found by those tests that read the OpenAPI description, which needs all routes.
"""

from functools import cache, wraps
from typing import Any

import starlette.routing
from fastapi import params, routing
from fastapi._compat import v2
from fastapi.dependencies import utils
from fastapi.routing import APIRoute
from starlette.routing import get_name

_Included = routing._EffectiveRouteContext
"""A route within a router that an app includes."""


def delay() -> None:
    """From now on, for good. May be called again."""
    if hasattr(APIRoute.__init__, "__wrapped__"):
        return
    vars(starlette.routing)["compile_path"] = vars(routing)["compile_path"] = cache(starlette.routing.compile_path)
    APIRoute.__init__ = _later(APIRoute.__init__)  # type: ignore[method-assign]
    APIRoute.__getattr__ = _make  # type: ignore[attr-defined]
    utils.analyze_param = _knowing_parameters(utils.analyze_param)
    v2.ModelField.__post_init__ = _remembering(v2.ModelField.__post_init__)  # type: ignore[method-assign]
    routing._extract_endpoint_context = _once_per_code(routing._extract_endpoint_context)
    _Included.from_api_route = _LateIncluded  # type: ignore[assignment, method-assign]


def _later(make: Any) -> Any:
    @wraps(make)
    def init(self: APIRoute, path: str, endpoint: Any, *, methods: Any = None, name: str | None = None, **more: Any) -> None:
        _take(self, path, endpoint, name or get_name(endpoint), {method.upper() for method in methods or ["GET"]})
        vars(self)["_making"] = lambda: make(self, path, endpoint, methods=methods, name=name, **more)

    return init


def _make(route: Any, name: str) -> Any:
    """Called for what a route does not have yet."""
    making = vars(route).pop("_making", None)
    if making is None:
        raise AttributeError(f"{type(route).__name__} has no {name}", name=name, obj=route)
    making()
    return getattr(route, name)


class _LateIncluded:
    """Stands for an `_Included`. Not a subclass: that has a default for each attribute, so none would be missing."""

    def __init__(self, *, original_route: APIRoute, include_context: Any) -> None:
        self.original_route = original_route
        _take(self, include_context.path_for(original_route), original_route.endpoint, original_route.name, original_route.methods)
        self._making = lambda: vars(self).update(vars(_included(original_route=original_route, include_context=include_context)))

    matches = _Included.matches
    url_path_for = _Included.url_path_for
    __getattr__ = _make


_included = _Included.from_api_route


def _take(route: Any, path: str, endpoint: Any, name: str, methods: set[str] | None) -> None:
    """What FastAPI needs to include and to find the route."""
    route.path, route.endpoint, route.name, route.methods = path, endpoint, name, methods
    route.path_regex, route.path_format, route.param_convertors = starlette.routing.compile_path(path)


def _knowing_parameters(analyze: Any) -> Any:
    """FastAPI works out the parameters of a route for the router that declares it and for each that includes it, in each app."""
    known: dict[Any, tuple[Any, ...]] = {}

    @wraps(analyze)
    def analyze_param(*, param_name: str, annotation: Any, value: Any, path_param_names: set[str]) -> Any:
        key = (param_name, id(annotation), id(value), param_name in path_param_names)
        if key in known:
            return known[key][0]
        details = analyze(param_name=param_name, annotation=annotation, value=value, path_param_names=path_param_names)
        # The fields of bodies are made for one route: whether a body is one of several counts there.
        if details.field is None or isinstance(details.field.field_info, params.Param):
            known[key] = details, annotation, value  # kept, so that no other object gets their identity
        return details

    return analyze_param


def _once_per_code(read: Any) -> Any:
    """For its error messages FastAPI reads where an endpoint stands, which it keeps per function: each app has functions of its own."""
    known: dict[Any, Any] = {}

    @wraps(read)
    def extract(endpoint: Any) -> Any:
        code = getattr(endpoint, "__code__", endpoint)
        if code not in known:
            known[code] = read(endpoint)
        return dict(known[code])  # the caller adds its path

    return extract


def _remembering(make: Any) -> Any:
    made: dict[Any, tuple[Any, Any]] = {}

    @wraps(make)
    def post_init(self: v2.ModelField) -> None:
        field = v2.asdict(self.field_info)
        # The class of a field counts as well: `Query()` and `Body()` may have the same attributes.
        key = (type(self.field_info), self.mode, *(repr(part) for part in (field, self.config)))
        known = made.get(key)
        if known is None or known[0] != self.field_info.annotation:
            make(self)
            # With the annotation: as long as it is kept, no other object is shown by the same text.
            made[key] = self.field_info.annotation, self._type_adapter
        else:
            self._type_adapter = known[1]

    return post_init
