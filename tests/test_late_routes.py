"""The routes of the tests' apps, which are made when they are first asked for, are those that FastAPI makes at once."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.testclient import TestClient

from tests import late_routes


@pytest.fixture(autouse=True)
def delayed() -> None:
    late_routes.delay()


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


def test_only_what_is_asked_for_is_made() -> None:
    router = APIRouter()

    @router.get("/asked")
    async def asked() -> str:
        return "answered"

    @router.get("/not-asked")
    async def not_asked() -> str:
        return ""

    app = FastAPI()
    app.include_router(router)
    one, other = router.routes

    assert _answers(app, "/asked") == "answered"

    assert "dependant" in vars(one)
    assert "dependant" not in vars(other)


def test_a_method_that_a_route_does_not_have_is_refused() -> None:
    with TestClient(_app("one")) as client:
        assert (answer := client.post("/api/a")).status_code == 405
        assert answer.headers["Allow"] == "GET"


def test_every_route_is_described() -> None:
    def app() -> FastAPI:
        router = APIRouter(prefix="/inner", tags=["inner"])
        router.add_api_route("/{number}", lambda number: number, methods=["PUT"], responses={404: {"description": "None"}})
        made = FastAPI()
        made.include_router(router, prefix="/outer", tags=["outer"])
        return made

    described = app().openapi()["paths"]["/outer/inner/{number}"]["put"]

    assert described["tags"] == ["outer", "inner"]
    assert list(described["responses"]) == ["200", "404", "422"]
