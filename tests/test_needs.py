"""What a machine lacks is installed, or named in one sentence."""

from pathlib import Path

import pytest

from tests import needs
from tests.needs import Need, main

pytestmark = pytest.mark.process


def need(name: str, file: Path, command: str) -> Need:
    return Need(name, file.exists, command=("sh", "-c", command))


def test_what_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(needs.NEEDS, "test", (need("a folder", tmp_path, f"touch {tmp_path}/touched"),))
    assert main("test") == 0
    assert not (tmp_path / "touched").exists()


def test_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(needs.NEEDS, "test", (need("a file", tmp_path / "a", f"touch {tmp_path}/a"),))
    assert main("test") == 0
    assert (tmp_path / "a").exists()


def test_what_cannot_be_installed_is_named_with_what_went_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = (need("a file", tmp_path / "a", "true"), need("another", tmp_path / "b", "echo no network >&2; false"))
    monkeypatch.setitem(needs.NEEDS, "test", both)
    assert main("test") == ("no network\nmake test needs a file and another; install with: sh -c true && sh -c echo no network >&2; false")


def test_packages_of_debian_are_named_in_one_command() -> None:
    absent = [Need("Chromium", bool, ("chromium",), ("true",)), Need("PostgreSQL", bool, ("postgresql",))]
    assert (
        needs.sentence(absent, "test") == "make test needs Chromium and PostgreSQL; install with: sudo apt-get install chromium postgresql"
    )


def test_what_the_tests_can_do_without_is_named_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = Need("a browser", bool, command=("sh", "-c", "echo no network >&2; false"), optional=True)
    monkeypatch.setitem(needs.NEEDS, "test", (need("a file", tmp_path / "a", f"touch {tmp_path}/a"), browser))
    assert main("test") == 0
    assert capsys.readouterr().out.endswith(
        "no network\nmake test skips what needs a browser; install with: sh -c echo no network >&2; false\n"
    )


def test_a_package_that_is_not_known_keeps_no_other_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\ncase "$*" in *unknown*) exit 100;; *known*) touch {tmp_path}/installed;; esac\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    known = Need("one", (tmp_path / "installed").exists, ("known",))
    needs.install([Need("other", bool, ("unknown",), optional=True), known])
    assert known.found()


def test_what_only_makes_tests_faster_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(
        needs.NEEDS, "test", (Need("a faster browser", bool, command=("touch", str(tmp_path / "tried")), only_faster=True),)
    )
    assert main("test") == 0
    assert (tmp_path / "tried").exists()
    assert "install with" not in capsys.readouterr().out
