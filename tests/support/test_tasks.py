"""Work in the background: what goes wrong with it is seen."""

import asyncio

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


async def test_what_is_kept_runs_again_after_any_error_until_it_returns(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.support.tasks._AGAIN_S", 0)
    odd = SystemError("odd")
    errors: list[Exception] = [odd, odd, odd, CallNotFound("There is no call with this id.")]

    async def work() -> None:
        if errors:
            raise errors.pop()

    tasks = Tasks()
    await tasks.keep(work, name="follow")
    assert not errors
    assert caplog.text.count("task follow failed and starts again") == 2, "each kind of error once a minute"


async def test_what_is_kept_ends_with_its_owner() -> None:
    tasks = Tasks()
    kept = tasks.keep(asyncio.Event().wait, name="follow")
    await asyncio.sleep(0)
    await tasks.aclose()
    assert kept.cancelled()
