"""The same stand-in and line as the relay's own tests have, and the same apps on each kind of journal as the journal's."""

from tests.journal.conftest import postgres, url
from tests.journal.test_apps import apps
from tests.listening.conftest import line, stand_in

__all__ = ["apps", "line", "postgres", "stand_in", "url"]
