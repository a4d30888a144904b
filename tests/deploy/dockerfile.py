"""The Dockerfile, parsed and carried out in a folder, where no container engine is needed: RUN, COPY and ENV for real, below `root`."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.process import ROOT

INSTALL_S = 400
"""For all packages, on a machine with more to do than it can."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What follows a FROM: instructions with their arguments, in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]

    def command(self, instruction: str = "CMD") -> list[str]:
        """The words of the exec form of CMD or HEALTHCHECK."""
        (rest,) = self.all(instruction)
        words: list[str] = json.loads(rest[rest.index("[") :])
        return words

    @property
    def environ(self) -> dict[str, str]:
        pairs = [word.partition("=") for rest in self.all("ENV") for word in shlex.split(rest)]
        return {name: value for name, _, value in pairs}


def stages(text: str) -> list[Stage]:
    """The stages, with ARGs from before the first put into their bases."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[Stage] = []
    defaults: dict[str, str] = {}
    for line in joined.splitlines():
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(re.sub(r"\$\{(\w+)\}", lambda match: defaults[match[1]], base), name))
        elif not found:
            assert instruction == "ARG", f"{instruction} before FROM"
            name, _, value = rest.partition("=")
            defaults[name] = value
        else:
            found[-1].steps.append((instruction, rest))
    return found


class Build:
    """Carries out stages below the folder `root`, whose file systems are one: no path of one stage may mean something else in another.
    `python` is what the base image would bring."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self._python = python
        self.skipped: list[str] = []

    def run(self, stage: Stage) -> None:
        for instruction, rest in stage.steps:
            if instruction == "RUN":
                self._run(rest)
            elif instruction == "COPY" and not rest.startswith("--from="):
                self._copy(*rest.split())

    def below(self, text: str) -> str:
        """`text` with the absolute paths of the image leading below `root`."""
        return re.sub(r"(?<![\w./-])/(opt|build|app|data|recordings)\b", rf"{self.root}/\1", text)

    def _run(self, rest: str) -> None:
        words = shlex.split(self.below(rest))
        if words[0] == "useradd":  # of the machine, not of a folder
            self.skipped.append(rest)
            return
        if words[0] == "python":
            words[0] = self._python
        if words[0] == "install" and os.geteuid() != 0:
            words = [word for word in words if word not in ("-o", "-g", "10001")]
        if words[1:4] == ["-m", "pip", "install"]:
            self._install(words)
        else:
            self._done(words)

    def _install(self, words: list[str]) -> None:
        """What pip would install, by uv: it has it in a cache, and does not compile it, which takes pip half a minute. That pip knows its
        options is tried with nothing to install.
        """
        *options, flag, requirements = words[4:]
        assert flag == "-r"
        self._done([*words[:4], *options, flag, os.devnull])
        options.remove("--no-cache-dir")
        uv = [sys.executable, "-m", "uv", "pip", "install", "--link-mode", "copy", "--python", words[0]]
        self._done([*uv, *options, flag, requirements])

    def _done(self, words: list[str]) -> None:
        done = subprocess.run(words, cwd=self.root, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    def _copy(self, *words: str) -> None:
        *sources, target = words
        for source in sources:
            to = Path(self.below(target))
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                to = to / source if target.endswith("/") else to
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, to)
