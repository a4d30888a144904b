"""Each test that serves the API builds its routes. What FastAPI works out for them depends on their functions' source alone, and is
worked out once here: each route's parameters, Pydantic's validators of its answers, the pattern of its path.

What belongs to one app is never shared: a route keeps its own function, and functions that it depends on count as what they are.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache, wraps
from typing import Annotated, Any, get_args, get_origin

import starlette.routing
from fastapi import routing
from fastapi._compat import v2
from fastapi.dependencies import utils
from fastapi.dependencies.models import Dependant
from pydantic.fields import FieldInfo


def share() -> None:
    """From now on, for good. May be called again."""
    if hasattr(v2.ModelField.__post_init__, "__wrapped__"):
        return
    v2.ModelField.__post_init__ = _remembering(v2.ModelField.__post_init__)  # type: ignore[method-assign]
    vars(utils)["get_dependant"] = vars(routing)["get_dependant"] = _parameters(utils.get_dependant)
    vars(starlette.routing)["compile_path"] = vars(routing)["compile_path"] = cache(starlette.routing.compile_path)
    vars(inspect)["cleandoc"] = cache(inspect.cleandoc)


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


def _parameters(work_out: Callable[..., Dependant]) -> Callable[..., Dependant]:
    known: dict[Any, tuple[Any, Dependant]] = {}

    @wraps(work_out)
    def get_dependant(*, call: Callable[..., Any], **more: Any) -> Dependant:
        function = getattr(call, "__func__", call)
        attributes = getattr(function, "__dict__", {})
        if not hasattr(function, "__code__") or "__signature__" in attributes or "__wrapped__" in attributes:
            return work_out(call=call, **more)
        # Annotations and defaults are made anew with each function. Of what they depend on, their text has the address.
        signature = *function.__annotations__.items(), *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()
        key = (function.__code__, function is call, repr(sorted(more.items())), *(_text(part) for part in signature))
        if key not in known:
            # With the signature: as long as it is kept, no other object is shown by the same text.
            known[key] = signature, work_out(call=call, **more)
        return _copied(known[key][1], call)

    return get_dependant


def _text(part: Any) -> Any:
    """All that tells an annotation or a default from others: FastAPI shows of `Query(le=3)` its default alone."""
    if isinstance(part, tuple):
        return tuple(map(_text, part))
    if isinstance(part, FieldInfo):
        return type(part), repr(v2.asdict(part)), repr(getattr(part, "__dict__", None))
    return tuple(map(_text, get_args(part))) if get_origin(part) is Annotated else repr(part)


def _copied(dependant: Dependant, call: Callable[..., Any]) -> Dependant:
    made = replace(dependant, call=call)
    for part in fields(made):
        if isinstance(value := getattr(made, part.name), list):
            setattr(made, part.name, value.copy())
    return made
