"""The options of `python main.py`, and what it says of the settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.settings import TABLE
from services.support.command_line import CommandLine
from tests.process import MAIN, ROOT


@pytest.mark.process
def test_help_prints_every_setting_with_its_default(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, MAIN, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0
    assert not ran.stderr
    assert not list(tmp_path.iterdir()), "help starts nothing"
    words = " ".join(ran.stdout.split())
    assert "`" not in words
    for variable in TABLE.values():
        assert f"{variable.name} {variable.help}. Default: {variable.shown_default}.".replace("`", "") in words
    assert max(map(len, ran.stdout.splitlines())) <= 100


@pytest.mark.parametrize("wrong", ["--frobnicate", "serve", "--hel"])
def test_an_unknown_argument_exits_with_2_and_a_sentence(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        CommandLine(TABLE.values()).parse_args([wrong])
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.err == f"Earshot can't start: unrecognized arguments: {wrong}. `python main.py --help` lists the options and settings.\n"
    assert not output.out
