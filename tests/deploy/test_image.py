"""The image: its Dockerfile's steps carried out without a container engine, and what they made run as the image would run it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import Build, Stage, stages
from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import ROOT

USER = 10001
TOKEN = "ops:read:" + "0" * 64


@pytest.fixture(scope="module")
def parsed() -> list[Stage]:
    return stages((ROOT / "Dockerfile").read_text())


def test_it_is_built_on_a_tag_and_runs_as_a_user_without_rights(parsed: list[Stage]) -> None:
    assert [stage.name for stage in parsed] == ["packages", ""]
    for stage in parsed:
        assert ":" in stage.base
        assert not stage.base.endswith(":latest")
    final = parsed[-1]
    assert final.all("USER") == [f"{USER}:{USER}"]
    after = final.steps[[name for name, _ in final.steps].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & {name for name, _ in after}
    assert not {"ADD"} & {name for stage in parsed for name, _ in stage.steps}


def test_only_what_is_copied_reaches_the_build(parsed: list[Stage]) -> None:
    copied = {source for stage in parsed for rest in stage.all("COPY") if "--from" not in rest for source in rest.split()[:-1]}
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the image's user may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="earshot-image-"))
    path.chmod(0o755)
    yield path
    for below in [path, *path.rglob("*")] if os.geteuid() != 0 else []:
        if not below.is_symlink():
            below.chmod(0o700 if below.is_dir() else 0o600)
    shutil.rmtree(path)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="needs users as Unix has them")
async def test_its_steps_make_an_app_that_runs_without_root_and_writes_only_its_data(parsed: list[Stage], folder: Path) -> None:
    as_root = os.geteuid() == 0
    who: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if as_root else {}
    build = Build(folder, await asyncio.to_thread(_python, who))
    for stage in parsed:
        await asyncio.to_thread(build.run, stage)
    assert [step.split()[0] for step in build.skipped] == ["useradd"]
    final = parsed[-1]
    (folder / "tmp").mkdir(mode=0o777)
    (folder / "tmp").chmod(0o777)
    if not as_root:
        for part in ("app", "opt"):
            for below in [folder / part, *(folder / part).rglob("*")]:
                if not below.is_symlink():
                    below.chmod(below.stat().st_mode & ~0o222)
    before = _files(folder)
    port = free_port()
    environ = {name: build.below(value) for name, value in final.environ.items()}
    environ |= {"PORT": str(port), "TMPDIR": str(folder / "tmp"), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}

    def start(**more: str) -> "subprocess.Popen[str]":
        popen: subprocess.Popen[str] = subprocess.Popen(
            [build.below(word) for word in final.command()],
            cwd=folder / "app",
            env=environ | more,
            stderr=subprocess.PIPE,
            text=True,
            **who,
        )
        return popen

    def healthy() -> bool:
        words = [build.below(word) for word in final.command("HEALTHCHECK")]
        return subprocess.run(words, env=environ, capture_output=True, timeout=HANG_S, check=False).returncode == 0

    with start() as unsafe:  # it is reachable from other machines
        _, said = await asyncio.to_thread(unsafe.communicate, timeout=HANG_S)
    assert unsafe.returncode == 1
    assert "EARSHOT_PASSWORD" in said
    assert not await asyncio.to_thread(healthy)

    with start(EARSHOT_PASSWORD="of the image", EARSHOT_API_TOKENS=TOKEN) as app:
        try:
            give_up = time.monotonic() + HANG_S
            while app.poll() is None and not await asyncio.to_thread(healthy):
                assert time.monotonic() < give_up
                await asyncio.sleep(0.5)  # each look is a process, and takes from the app what it starts with
        finally:
            app.terminate()
            _, said = await asyncio.to_thread(app.communicate, timeout=HANG_S)
    assert app.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert any("Earshot is at" in line["message"] for line in lines)
    written = _files(folder) - before
    assert written
    assert {path.parts[0] for path in written} == {"data"}, written


def _python(who: dict[str, Any]) -> str:
    """A Python that the image's user can run; root's own may lie where nobody else may look."""
    for program in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            subprocess.run([program, "-c", "import ensurepip, venv"], **who, cwd="/", check=True, capture_output=True, timeout=HANG_S)
        except (OSError, subprocess.CalledProcessError):
            continue
        return program
    pytest.skip("no Python that another user than root can run, with venv")


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}
