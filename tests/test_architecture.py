"""Two faces over one desk, arrows only downwards: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([ROOT / "main.py", *(ROOT / "services").rglob("*.py"), *(ROOT / "ui").rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            yield node.module or ""


def importers_of(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT)) for path in SOURCES if any(name == package or name.startswith(package + ".") for name in imports(path))
    }


@pytest.mark.parametrize("module", ["call", "phone_number", "dial_guard", "errors", "listening/pcm"])
def test_the_pure_modules_know_no_framework(module: str) -> None:
    found = set(imports(ROOT / "services" / f"{module}.py"))
    assert not [name for name in found if name.split(".")[0] in {"nicegui", "fastapi", "starlette", "vapi", "httpx", "aiohttp", "asyncio"}]


def test_the_two_faces_do_not_know_each_other() -> None:
    assert not [name for name in importers_of("ui") if name.startswith("services/")]
    assert not [name for name in importers_of("services.web") if name.startswith("ui/")]


def test_only_the_gateway_knows_the_sdk() -> None:
    assert importers_of("vapi")
    assert all(name.startswith("services/vapi/") for name in importers_of("vapi"))


def test_the_demo_line_is_a_server_like_the_real_one() -> None:
    assert {name for name in importers_of("services.demo_line") if not name.startswith("services/demo_line/")} == {"main.py"}
    for path in (ROOT / "services" / "demo_line").glob("*.py"):
        assert not [name for name in imports(path) if name.startswith(("services.", "ui")) and not name.startswith("services.demo_line")]


def test_nicegui_stays_in_the_page() -> None:
    assert all(name.startswith("ui/") for name in importers_of("nicegui"))
