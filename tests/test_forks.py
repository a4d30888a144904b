"""A forked app starts as one does that has a Python of its own."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.process import MAIN, started

pytestmark = pytest.mark.process


def ended(tmp_path: Path, *arguments: str, new_python: bool, **environ: str) -> tuple[int, str]:
    with started(MAIN, *arguments, cwd=tmp_path, environ=environ, port=1, new_python=new_python) as process:
        return process.ended(HANG_S), process.output


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--help"], {"COLUMNS": "90"}), (["--nonsense"], {}), ([], {"EARSHOT_CALLS_PER_HOUR": "many"})]
)
def test_it_reads_its_arguments_and_variables_and_ends_with_its_code(tmp_path: Path, arguments: list[str], environ: dict[str, str]) -> None:
    forked = ended(tmp_path, *arguments, new_python=False, **environ)
    assert forked == ended(tmp_path, *arguments, new_python=True, **environ)


def test_it_has_no_variable_of_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_CALLS_PER_HOUR", "many")  # it could not start with this
    with started(MAIN, cwd=tmp_path) as process:
        assert process.wait_until_served() == 200
        process.kill()
    assert process.popen.poll() == -9


def test_its_routes_which_are_made_when_they_are_asked_for_are_those_of_a_new_python(tmp_path: Path) -> None:
    described = []
    for new_python in (False, True):
        with started(MAIN, cwd=tmp_path, new_python=new_python) as process:
            process.wait_until_served()
            with urllib.request.urlopen(process.url + "/openapi.json") as answer:
                described.append(json.load(answer))
    assert described[0]["paths"].keys()
    assert described[0] == described[1]
