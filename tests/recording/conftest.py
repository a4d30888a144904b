"""The same stand-in and line as the relay's own tests have, and the same apps on each kind of journal as the journal's."""

from collections.abc import Iterator

import pytest

from tests.journal.conftest import postgres, starts_empty, url
from tests.journal.test_apps import apps
from tests.listening.conftest import line, stand_in
from tests.recording.s3 import S3, s3_server

__all__ = ["apps", "line", "postgres", "stand_in", "starts_empty", "url"]


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    with s3_server() as running:
        yield running


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A place in the store for one test."""
    return f"recordings/{request.node.name.translate(str.maketrans('[]', '--'))}"
