"""Each test that serves the API builds its routes, and most of that is FastAPI making Pydantic's validators, which never change.

Equal fields of routes share one validator here. Nothing else of FastAPI is replaced.
"""

from functools import wraps
from typing import Any

from fastapi._compat import v2


def share() -> None:
    """From now on, for good. May be called again."""
    if not hasattr(v2.ModelField.__post_init__, "__wrapped__"):
        v2.ModelField.__post_init__ = _remembering(v2.ModelField.__post_init__)  # type: ignore[method-assign]


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
