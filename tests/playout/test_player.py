"""The player's pure JavaScript, under node's own test runner."""

import subprocess
from pathlib import Path

import pytest

from tests.node import node_path

TESTS = Path(__file__).parent


@pytest.mark.process
def test_player_under_node() -> None:
    files = sorted(str(file) for file in TESTS.glob("*.test.mjs"))
    run = subprocess.run([node_path(), "--test", *files], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
