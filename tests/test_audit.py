"""`make audit` fails where something is amiss or was not looked up, and says so where nothing could be."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parent.parent / ".ci" / "audit"
FINE = {"name": "starlette", "version": "1.10.0", "vulns": []}
HOLE = {"name": "h11", "version": "0.16.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.17.0"]}]}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found"}

pytestmark = pytest.mark.process


def audit(folder: Path, *packages: dict[str, Any], says: str | None = None, **environ: str) -> tuple[int, str]:
    """Exit code and output, with a pip-audit that reports these packages."""
    said = json.dumps({"dependencies": packages}) if says is None else says
    (folder / "pip_audit.py").write_text(f"print({said!r})\n")
    clean = {name: value for name, value in os.environ.items() if name != "CI_AUDIT"}
    ran = subprocess.run(
        [sys.executable, AUDIT], env=clean | {"PYTHONPATH": str(folder)} | environ, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout


def test_no_vulnerability(tmp_path: Path) -> None:
    assert audit(tmp_path, FINE) == (0, "Audited 1 of 1 packages; vulnerabilities: 0\n")


def test_a_vulnerability_fails_and_is_named(tmp_path: Path) -> None:
    code, said = audit(tmp_path, FINE, HOLE)
    assert code == 1
    assert "h11 0.16.0: PYSEC-1, fixed in 0.17.0" in said


def test_a_package_that_could_not_be_audited_fails(tmp_path: Path) -> None:
    code, said = audit(tmp_path, FINE, SKIPPED)
    assert code == 1
    assert "Could not be audited: idna" in said


@pytest.mark.parametrize(("packages", "says"), [([SKIPPED, SKIPPED], None), ([], "no connection")])
def test_without_data_it_says_so_and_fails_only_if_strict(tmp_path: Path, packages: list[dict[str, Any]], says: str | None) -> None:
    code, said = audit(tmp_path, *packages, says=says)
    assert code == 0
    assert "NOTHING WAS AUDITED" in said
    assert audit(tmp_path, *packages, says=says, CI_AUDIT="strict") == (1, said)
