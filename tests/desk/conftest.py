"""The same databases as the journal's own tests have."""

from tests.journal.conftest import postgres, url

__all__ = ["postgres", "url"]
