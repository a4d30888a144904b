"""The listen stream's stand-in, for the socket that passes it on, and the same databases as the journal's own tests have."""

from tests.journal.conftest import postgres, starts_empty, url
from tests.listening.conftest import line, stand_in

__all__ = ["line", "postgres", "stand_in", "starts_empty", "url"]
