"""`python main.py --backup FILE` beside a running app, whose data folder has an awkward name."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from tests.process import MAIN, ROOT, running, vapi_environ
from tests.stand_in import StandIn

pytestmark = pytest.mark.process


def backup(cwd: Path, environ: dict[str, str], file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, MAIN, "--backup", file],
        cwd=cwd,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


async def test_a_running_journal_is_copied_and_no_file_overwritten(tmp_path: Path, vapi: StandIn) -> None:
    folder, copy = tmp_path / "a?b#c%20d", tmp_path / "copy"
    environ = vapi_environ(vapi.url) | {"EARSHOT_DATA_DIR": str(folder), "EARSHOT_ALLOWED_REGIONS": "*"}
    async with running(tmp_path, environ) as app:
        async with aiohttp.ClientSession() as http, http.post(app.url + "/api/vapi_call", json={"to": "+14155552671"}) as answer:
            assert answer.status == 201
        done = backup(tmp_path, environ, copy)
        assert (done.returncode, done.stderr) == (0, "")
        again = backup(tmp_path, environ, copy)
        assert (again.returncode, again.stderr) == (1, f"Earshot can't make a backup: {copy} exists. Name a new file for the backup.\n")
    with closing(sqlite3.connect(copy)) as file:
        assert file.execute("SELECT to_number, state FROM earshot_dials").fetchall() == [("+14155552671", "placed")]
    assert (folder / "journal.sqlite").is_file()
