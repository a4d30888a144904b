"""Databases of both kinds."""

from tests.journal.conftest import postgres, url

__all__ = ["postgres", "url"]
