"""Vapi's SDK for Python without its schemas: of thousands a test uses a handful, and building them takes nine tenths of its import."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pydantic import PydanticUndefinedAnnotation
from pydantic._internal._generate_schema import GenerateSchema


@contextmanager
def unbuilt() -> Iterator[None]:
    """Pydantic builds a model that is imported within when it is first used, as it does one that refers to what is defined later."""

    def later(_self: GenerateSchema, model: type) -> NoReturn:
        raise PydanticUndefinedAnnotation(model.__name__, "not built before it is used")

    build = GenerateSchema.generate_schema
    GenerateSchema.generate_schema = later  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        GenerateSchema.generate_schema = build  # type: ignore[method-assign]
