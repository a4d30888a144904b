"""Calls are found by any part of their details and transcripts, with the index and without, in journals of older versions too."""

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from services.domain.call import Call, CallStatus
from services.domain.transcript import Line
from services.journal import Journal, opening
from services.journal.database.codec import dump, milliseconds
from services.journal.database.migrations import STEPS, migrate
from services.journal.database.schema import calls
from services.journal.database.search_index import INDEX
from services.journal.tables import search as search_module
from services.journal.tables.pruning import KEPT
from services.journal.tables.search import matching
from tests.journal.conftest import Clock, Open, execute

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)
TEXTS = (
    'He said "no" twice',
    "it's 100 % sure_",
    "a*b AND (c)",
    "Straße und Übergröße",
    "電話をかける 中文",
    "naïve\ncafé",
    "-NEAR/2 ^x:y",
)


def a_call(number: int, **fields: object) -> Call:
    fields = {"status": CallStatus.ENDED, "created_at": TEN + timedelta(minutes=number)} | fields
    return Call(id=f"call-{number}", **fields)  # type: ignore[arg-type]


def a_line(text: str) -> list[Line]:
    return [Line(key=1, speaker="customer", text=text, at=TEN, final=True)]


async def found(journal: Journal, search: str) -> set[str]:
    return {call.id for call in await journal.calls(search=search, limit=1000)}


@pytest.mark.parametrize("frequent", [1, 2000], ids=["compared one by one", "by the index"])
@pytest.mark.slow
async def test_every_part_of_a_text_finds_just_the_calls_that_contain_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, frequent: int
) -> None:
    monkeypatch.setattr(search_module, "_FREQUENT", frequent)
    for number, text in enumerate(TEXTS):
        await journal.save(a_call(number, summary=text if number % 2 else None))
        await journal.save_transcript(f"call-{number}", a_line("Hello" if number % 2 else text))
    contents = [text + "\0Hello" * (number % 2) for number, text in enumerate(TEXTS)]
    chance = random.Random(5)  # noqa: S311
    for text in TEXTS:
        parts = [text[start : start + chance.randint(1, 12)] for start in chance.choices(range(len(text)), k=6)]
        parts += [text[start : start + length] for length in (1, 2) for start in range(len(text))]
        for part in (part.strip().casefold() for part in parts):
            if part:
                holding = {f"call-{number}" for number, said in enumerate(contents) if part in said.casefold()}
                assert await found(journal, part) == holding, part
    assert await found(journal, "no such words") == set()


@pytest.mark.parametrize("search", ["+1 (415) 200-0012", "2000012", "0012", "001"])
async def test_a_number_is_found_by_its_parts_however_it_is_written(journal: Journal, search: str) -> None:
    await journal.save(a_call(1, to="+14152000012"))
    await journal.save(a_call(2, to="+14152000999"))
    assert await found(journal, search) == {"call-1"}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("search", "at_the_end"), [("ne", {"call-2"}), ("z", {"call-3", "call-4"})])
async def test_one_and_two_characters_are_looked_for_in_the_index_alone(
    url: str, journal: Journal, search: str, at_the_end: set[str]
) -> None:
    for number, text in enumerate(("needle, zebra", "in a haystack", "the end is ne", "jazz", "Liz.")):
        await journal.save(a_call(number, summary=text))
        await journal.save_transcript(f"call-{number}", a_line(text))
    await journal.save(a_call(7, status=CallStatus.RINGING, name="Nellie Zorn"))
    assert await found(journal, search) == {"call-0", "call-7"} | at_the_end
    await execute(url, "INSERT INTO earshot_search (earshot_search) VALUES ('delete-all')")
    assert await found(journal, search) == {"call-7"} | at_the_end, "by the end of its text, or because it has not ended"


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.process)], indirect=True)
@pytest.mark.parametrize(("search", "parallel"), [("zq", True), ("@", True), ("415", False)])
async def test_postgresql_plans_each_search_by_its_text_and_compares_all_calls_in_several_processes(
    journal: Journal, search: str, *, parallel: bool
) -> None:
    await journal.save(a_call(1, summary="needle"))

    def plan(connection: sa.Connection) -> str:
        connection.execute(sa.text("SET LOCAL min_parallel_table_scan_size = 0"))  # else not of a table as small as this one
        query = matching(connection, sa.select(calls.c.data), search)
        literal = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        assert connection.exec_driver_sql("SHOW plan_cache_mode").scalar() == "force_custom_plan"
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {literal}").scalars())

    assert ("Parallel" in await journal._database.read(plan)) is parallel


async def test_what_is_found_follows_what_is_known_of_a_call(journal: Journal) -> None:
    await journal.save(a_call(1, status=CallStatus.RINGING, name="Mister Bean"))
    assert await found(journal, "bean") == {"call-1"}
    await journal.save(a_call(1, name="Mister Bean", summary="He asked for a teddy bear"))
    await journal.save_transcript("call-1", a_line("half of it"))
    await journal.save_transcript("call-1", a_line("all of this"))
    for search, count in (("bean", 1), ("teddy", 1), ("all of this", 1), ("half of it", 0), ("bear\nall", 0)):
        assert len(await found(journal, search)) == count, search


async def test_the_index_forgets_what_the_journal_forgets(url: str, journal: Journal, clock: Clock) -> None:
    await journal.save(a_call(1, created_at=clock.now, summary="a needle"))
    await journal.save_transcript("call-1", a_line("in a haystack"))
    clock.pass_(KEPT + timedelta(days=1))
    await journal.forget_old()
    assert await found(journal, "needle") == set()
    if url.startswith("sqlite"):
        assert await execute(url, "SELECT number FROM earshot_search_rows") == []
        assert await execute(url, "SELECT rowid FROM earshot_search WHERE earshot_search MATCH 'nee OR hay'") == []


@pytest.mark.parametrize("starts_empty", [True])
async def test_calls_of_an_older_journal_are_found_by_the_index(
    url: str, open_journal: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_index = STEPS[: next(number for number, step in enumerate(STEPS) if INDEX in step)]
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=without_index))
    await (await open_journal(now=clock)).aclose()
    monkeypatch.undo()
    for call in (a_call(1, summary="needle"), a_call(2, status=CallStatus.RINGING, summary="needle")):
        values = f"'{call.id}', '{call.status}', {milliseconds(clock.now)}, '{call.summary}', 'in a haystack', '{dump(call)}'"
        await execute(url, f"INSERT INTO earshot_calls (id, status, created_at, words, said, data) VALUES ({values})")  # noqa: S608
    journal = await open_journal(now=clock)
    assert await found(journal, "needle") == await found(journal, "haystack") == {"call-1", "call-2"}
    if url.startswith("sqlite"):
        rows = await execute(url, "SELECT call_id FROM earshot_search JOIN earshot_search_rows ON number = earshot_search.rowid")
        assert rows == [("call-1",)]
    else:
        assert await execute(url, "SELECT 1 FROM pg_indexes WHERE indexname = 'earshot_calls_search'")
