"""Databases of both kinds."""

from tests.journal.conftest import postgres, starts_empty, url

__all__ = ["postgres", "starts_empty", "url"]
