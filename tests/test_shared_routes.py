"""What the tests' apps share of their routes is what is equal, and nothing else."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query
from fastapi.dependencies import utils
from fastapi.testclient import TestClient

from tests import shared_routes


@pytest.fixture(autouse=True)
def shared() -> None:
    shared_routes.share()


def _answers(app: FastAPI, path: str) -> Any:
    with TestClient(app) as client:
        return client.get(path).json()


def _app(name: str, *, most: int = 9, depends: Callable[[], str] = lambda: "") -> FastAPI:
    app = FastAPI()

    @app.get("/api/{call_id}")
    async def read(call_id: str, number: Annotated[int, Query(le=most)], found: Annotated[str, Depends(depends)]) -> list[Any]:
        return [name, call_id, number, found]

    return app


def test_a_route_is_its_own_app_s() -> None:
    assert _answers(_app("one"), "/api/a?number=1") == ["one", "a", 1, ""]
    assert _answers(_app("other"), "/api/b?number=2") == ["other", "b", 2, ""]


def test_a_limit_is_its_own_app_s() -> None:
    assert _answers(_app("one", most=3), "/api/a?number=4")["detail"][0]["type"] == "less_than_equal"
    assert _answers(_app("other", most=4), "/api/a?number=4") == ["other", "a", 4, ""]


def test_what_a_route_depends_on_is_its_own_app_s() -> None:
    def depended_on(answer: str) -> Callable[[], str]:
        return lambda: answer

    assert _answers(_app("one", depends=depended_on("the one's")), "/api/a?number=1")[-1] == "the one's"
    assert _answers(_app("other", depends=depended_on("the other's")), "/api/a?number=1")[-1] == "the other's"


def test_parameters_are_worked_out_once() -> None:
    async def read(call_id: str) -> None: ...

    one, other = (utils.get_dependant(path="/{call_id}", call=read) for _ in range(2))

    assert one.path_params[0] is other.path_params[0]
    assert one.path_params is not other.path_params
