"""The same databases as the journal's own tests have."""

from tests.journal.conftest import postgres, starts_empty, url

__all__ = ["postgres", "starts_empty", "url"]
