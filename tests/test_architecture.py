"""Two faces over one desk, imports only downwards: which package may import which."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

pytestmark = pytest.mark.together("architecture")  # one process reads all sources, not each

ROOT = Path(__file__).parent.parent
SOURCES = sorted([ROOT / "main.py", *(ROOT / "services").rglob("*.py"), *(ROOT / "ui").rglob("*.py")])

FLOORS = [
    "main",
    "ui",
    "services.web",
    "services.doctor",
    "services.webhooks_out",
    "services.recording",
    "services.desk",
    "services.listening",
    "services.measures",
    "services.journal",
    "services.vapi",
    "services.dialling",
    "services.support",
    "services.domain",
]
"""From the top floor down. A module may import from its own floor and from those below it."""

ROOMS = [
    {"ui.pages"},
    {"ui.page", "ui.wall"},
    {"ui.call"},
    {"ui.audit", "ui.dial", "ui.fleet", "ui.insights", "ui.log", "ui.recording", "ui.shell"},
    {"ui.settings"},
    {"ui.kit"},
    {"ui.words"},
    {"ui.tab"},
]
"""The rooms of the page, in the same way. Those on one level do not import each other."""

JOURNAL = "services.journal"
JOURNAL_ROOMS = [
    {JOURNAL},  # what stands in none of its folders, but for its records
    {f"{JOURNAL}.writing", f"{JOURNAL}.processes"},
    {f"{JOURNAL}.tables"},
    {f"{JOURNAL}.records"},
    {f"{JOURNAL}.database"},
]
"""The rooms of the journal."""

DESK = "services.desk"
DESK_ROOMS = [
    {DESK},  # what stands in none of its folders
    {f"{DESK}.placing", f"{DESK}.ending", f"{DESK}.erasing"},
    {f"{DESK}.judging", f"{DESK}.lists"},
    {f"{DESK}.calls"},
]
"""The rooms of the desk."""

APART = "services.demo_line"
SETTINGS = "services.settings"
FACES = {"ui", "services.web"}
MAY_READ_SETTINGS = {"main", *FACES}
FRAMEWORKS = {"nicegui", "fastapi", "starlette", "vapi", "httpx", "aiohttp", "asyncio", "sqlalchemy"}


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports."""
    yield from _imports(path, path.read_text())


@cache
def _imports(path: Path, source: str) -> list[str]:
    return list(_imported(path, source))


def _imported(path: Path, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor_of(module: str) -> str | None:
    """The floor, or the part that stands apart, that a module of ours belongs to; None for other people's modules."""
    return next((place for place in (*FLOORS, APART, SETTINGS) if module == place or module.startswith(place + ".")), None)


def allowed(importer: str, imported: str) -> bool:
    """True if a module on floor `importer` may import one on floor `imported`."""
    if importer == imported:
        return True
    if APART in (importer, imported):
        return importer == "main"
    if SETTINGS in (importer, imported):
        return importer in MAY_READ_SETTINGS if imported == SETTINGS else imported in ("services.domain", "services.support")
    if {importer, imported} == FACES:
        return False
    return FLOORS.index(importer) < FLOORS.index(imported)


def forbidden(importer: str, names: Iterable[str]) -> list[str]:
    """The imports that a module on floor `importer` may not have."""
    places = ((name, floor_of(name)) for name in names)
    return [name for name, place in places if place is not None and not allowed(importer, place)]


def importers_of(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT)) for path in SOURCES if any(name == package or name.startswith(package + ".") for name in imports(path))
    }


@pytest.mark.slow
def test_imports_point_down_the_floors() -> None:
    wrong = {}
    for path in SOURCES:
        floor = floor_of(module_of(path))
        if floor is None:
            assert path.parent == ROOT / "services", f"{path.relative_to(ROOT)} belongs to no floor"
            assert not path.read_text().strip()
        elif found := forbidden(floor, imports(path)):
            wrong[module_of(path)] = found
    assert not wrong


def test_the_drawing_shows_the_floors_in_their_order() -> None:
    drawn = re.findall(r'class="name"[^>]*>(?:services/)?(\w+)', (ROOT / "docs" / "floors.svg").read_text())
    assert drawn == [name.rpartition(".")[2] for name in [*FLOORS, SETTINGS, APART]]


@pytest.mark.parametrize(("upper", "lower"), list(combinations(FLOORS, 2)))
def test_an_import_up_the_floors_is_found(upper: str, lower: str, tmp_path: Path) -> None:
    for text in (f"import {upper}", f"from {upper} import something", f"def late() -> None:\n    from {upper}.deeper import something"):
        source = tmp_path / "source.py"
        source.write_text(text)
        assert forbidden(lower, imports(source)), text
    if {upper, lower} != FACES:
        assert not forbidden(upper, [lower, f"{lower}.deeper"])


Rooms = list[set[str]]


def room_of(module: str, rooms: Rooms) -> str | None:
    return max((room for level in rooms for room in level if module == room or module.startswith(room + ".")), key=len, default=None)


def outside_its_rooms(importer: str, names: Iterable[str], rooms: Rooms) -> list[str]:
    """The imports of other rooms that a module in room `importer` may not have."""
    below = set[str]().union(*rooms[next(level for level, beside in enumerate(rooms) if importer in beside) + 1 :])
    return [name for name in names if room_of(name, rooms) not in (None, importer, *below)]


def rooms_of(path: Path) -> Rooms | None:
    return {"ui": ROOMS, DESK: DESK_ROOMS, JOURNAL: JOURNAL_ROOMS}.get(floor_of(module_of(path)) or "")


def test_imports_point_down_the_rooms() -> None:
    wrong, seen = {}, 0
    for path in SOURCES:
        rooms = rooms_of(path)
        if not rooms or module_of(path) == "ui":
            continue
        room = room_of(module_of(path), rooms)
        assert room is not None, f"{path.relative_to(ROOT)} belongs to no room"
        if found := outside_its_rooms(room, imports(path), rooms):
            wrong[module_of(path)] = found
        seen += 1
    assert seen > 50
    assert not wrong


@pytest.mark.parametrize(
    ("upper", "lower", "rooms"), [(*pair, rooms) for rooms in (ROOMS, DESK_ROOMS, JOURNAL_ROOMS) for pair in combinations(rooms, 2)]
)
def test_an_import_up_the_rooms_is_found(upper: set[str], lower: set[str], rooms: Rooms) -> None:
    for above in upper:
        for below in lower:
            assert outside_its_rooms(below, [f"{above}.deeper"], rooms)
            assert not outside_its_rooms(above, [f"{below}.deeper"], rooms)
        for beside in upper - {above}:
            assert outside_its_rooms(above, [beside], rooms)


@pytest.mark.parametrize("importer", [place for place in FLOORS if place not in MAY_READ_SETTINGS])
def test_only_the_faces_and_main_read_settings(importer: str) -> None:
    assert forbidden(importer, [SETTINGS])


@pytest.mark.parametrize("place", [*FLOORS[1:], SETTINGS])
def test_the_demo_line_and_the_rest_do_not_know_each_other(place: str) -> None:
    assert forbidden(place, [APART])
    assert forbidden(APART, [place])


def test_the_domain_knows_no_framework() -> None:
    for path in (ROOT / "services" / "domain").glob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & FRAMEWORKS, path


def test_only_the_gateway_knows_the_sdk() -> None:
    assert importers_of("vapi")
    assert all(name.startswith("services/vapi/") for name in importers_of("vapi"))


def test_only_the_journal_knows_the_database() -> None:
    assert importers_of("sqlalchemy")
    assert all(name.startswith("services/journal/") for name in importers_of("sqlalchemy"))


def test_nicegui_stays_in_the_page() -> None:
    assert importers_of("nicegui")
    assert all(name.startswith("ui/") for name in importers_of("nicegui"))
