"""Work in the background: what goes wrong with it is seen."""

import pytest
from starlette.exceptions import HTTPException

from services.domain.errors import CallNotFound
from services.support.tasks import Tasks


@pytest.mark.parametrize(
    ("error", "logged"), [(KeyError("a bug"), True), (HTTPException(404), True), (CallNotFound("There is no call with this id."), False)]
)
async def test_only_an_error_of_ours_is_left_to_whoever_awaits_the_task(
    caplog: pytest.LogCaptureFixture, error: Exception, logged: bool
) -> None:
    async def fail() -> None:
        raise error

    tasks = Tasks()
    failing = tasks.start(fail(), name="fail")
    with pytest.raises(type(error)):
        await failing
    await tasks.aclose()
    assert ("task fail failed" in caplog.text) is logged
