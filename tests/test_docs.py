"""The documents of the repository name only what exists: files, links and their headings, modules, and targets of make."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IGNORED = {"node_modules", "__pycache__"}
KEPT = {".ci", ".github"}
"""Of the folders whose name begins with a dot, those that belong to the repository."""

FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = "assets|benchmarks|docs|services|tests|ui|words|\\.ci|\\.github"
PATH = re.compile(rf"(?<![\w./:-])(?:{FOLDERS})/[\w./*-]*[\w*/]")
FILE = re.compile(r"[\w./*-]+\.(?:py|js|mjs|md|css|sh|html|webp|svg|yml|yaml)")
MODULE = re.compile(r"python3? -m ((?:benchmarks|docs|services|tests|ui)[\w.]*)")
TARGET = re.compile(r"(?:^|\s)make ([a-z][a-z-]*)")


@cache
def tree() -> tuple[Path, ...]:
    """The files of the repository; what tools leave behind is not among them."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in IGNORED and (name in KEPT or not name.startswith("."))]
        found += [Path(folder, name) for name in names]
    return tuple(sorted(found))


@cache
def endings() -> set[str]:
    """Of the paths of all files: `desk.py`, `desk/desk.py` and so on."""
    names = [path.relative_to(ROOT).as_posix() for path in tree()]
    return {name[at:] for name in names for at in (0, *(slash.end() for slash in re.finditer("/", name)))}


def headings(document: Path) -> set[str]:
    """The names by which GitHub links to the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken_links(text: str, document: Path) -> Iterator[str]:
    for link in (first or second for first, second in LINK.findall(CODE.sub("", FENCE.sub("", text)))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (heading and heading not in headings(target)):
            yield link


def missing_paths(text: str, document: Path) -> Iterator[str]:
    """Paths from the root, and in code also from the document's folder, or a file's name alone."""
    for path in PATH.findall(text):
        if not any(ROOT.glob(path.rstrip("/"))):
            yield path
    for code in CODE.findall(FENCE.sub("", text)):
        if FILE.fullmatch(code) and not any(document.parent.glob(code)) and code not in endings():
            yield code


def missing_commands(text: str) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for module in MODULE.findall(text):
        path = ROOT.joinpath(*module.split("."))
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file():
            yield f"python -m {module}"
    indented = re.findall(r"^    .+$", text, re.MULTILINE)
    for code in [*CODE.findall(text), *FENCE.findall(text), *indented]:
        yield from (f"make {target}" for target in TARGET.findall(code) if target not in targets)


def mistakes(text: str, document: Path) -> list[str]:
    conflicts = re.findall(r"^(?:<{7}|>{7}) .*", text, re.MULTILINE)
    return [*conflicts, *broken_links(text, document), *missing_paths(text, document), *missing_commands(text)]


@pytest.mark.parametrize("document", [path for path in tree() if path.suffix == ".md"], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_only_what_exists(document: Path) -> None:
    assert not mistakes(document.read_text(encoding="utf-8"), document)


@pytest.mark.parametrize(
    "text",
    [
        "[gone](docs/gone.md)",
        "![gone](docs/gone.webp)",
        '<img src="docs/gone.webp">',
        "[gone](README.md#no-such-heading)",
        "[gone](#no-such-heading)",
        "It is in services/desk/gone.py.",
        "| `tests/gone/` |",
        "`gone.py`",
        "`tests/*/test_gone.py`",
        "`python -m benchmarks.gone`",
        "    make gone",
        "```\nmake gone\n```",
        "<<<<<<< HEAD",
    ],
)
def test_what_does_not_exist_is_found(text: str) -> None:
    assert mistakes(text, ROOT / "README.md")


@pytest.mark.parametrize(
    "text",
    [
        "[here](docs/attacks.md), [a website](https://example.org/docs/gone.md), [below](#start)",
        "`tests/test_docs.py`, services/desk/, `desk.py`, `make test`, `python -m benchmarks`, tests/*/test_desk.py",
        "GET /docs/gone is a route, `call.json` is made while Earshot runs",
    ],
)
def test_what_exists_is_let_pass(text: str) -> None:
    assert not mistakes(text, ROOT / "README.md")


def test_every_attack_names_the_tests_that_try_it() -> None:
    rows = re.findall(r"^\| (?!Attack |---)(.+) \|$", (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.rsplit(" | ", 1)[1])
        assert named, row
        for path, name in named:
            assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), f"{path}::{name}"
