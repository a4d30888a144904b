"""A journal here begins with an empty database."""

import pytest

from services.journal import Journal
from tests.journal.conftest import Open


@pytest.fixture
def opening() -> Open:
    return Journal.open


@pytest.fixture
def starts_empty() -> bool:
    return True
