"""The player's pure JavaScript, under node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.process
def test_player_under_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail("The player's tests need Node.js 20 or newer on PATH.")
    files = sorted(str(file) for file in TESTS.glob("*.test.mjs"))
    run = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
