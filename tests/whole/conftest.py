"""The same databases as the journal's own tests have, but empty: the process that is tested migrates its own."""

import pytest

from tests.journal.conftest import postgres, url

__all__ = ["postgres", "url"]


@pytest.fixture
def starts_empty() -> bool:
    return True
