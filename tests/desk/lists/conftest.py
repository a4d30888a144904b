"""A journal for one list."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.journal import Journal
from tests.journals import open_journal


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await open_journal(tmp_path / "journal.sqlite")
    yield journal
    await journal.aclose()
