"""The block list: what it understands, what it blocks, and what is kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.dialling.block_list import STATE, BlockList
from services.domain.errors import NumberError
from services.journal import Journal
from tests.journals import open_journal


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await open_journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    yield journal
    await journal.aclose()


async def listed(journal: Journal, *rules: str) -> BlockList:
    """A block list with these rules, as another process reads it."""
    first = BlockList(journal)
    for rule in rules:
        assert await first.add(rule)
    blocked = BlockList(journal)
    await blocked.load()
    return blocked


async def test_numbers_and_prefixes(journal: Journal) -> None:
    blocked = await listed(journal, "+1 (415) 555-2671  # the neighbour", "+1900*", "+49*")
    assert blocked.rules == ("+14155552671", "+1900*", "+49*")
    assert blocked.rule_for("+14155552671") == "+14155552671"
    assert blocked.rule_for("+19005551234") == "+1900*"
    assert blocked.rule_for("+493012345678") == "+49*"
    assert blocked.rule_for("+14155552672") is None
    assert blocked.rule_for("+1415555267") is None


async def test_an_extension_of_a_blocked_number_is_blocked(journal: Journal) -> None:
    blocked = await listed(journal, "+493023125012")
    for extension in ("7", "00", "1234"):
        assert blocked.rule_for("+493023125012" + extension) == "+493023125012"
    assert blocked.rule_for("+49302312501") is None
    assert blocked.rule_for("+493023125013") is None


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("+49 (0)30 23125012", "+493023125012"),
        ("0049 30 23125012", "+493023125012"),
        ("+49 030 23125012", "+493023125012"),
        ("＋４９ 30 23125012", "+493023125012"),
        ("tel:+49-30-23125012", "+493023125012"),
        ("+54 011 15 2345 6789", "+5491123456789"),
        ("+49 (0)900*", "+499001234567"),
    ],
)
async def test_a_number_is_blocked_however_it_is_written(journal: Journal, line: str, number: str) -> None:
    blocked = await listed(journal, line)
    assert blocked.rule_for(number)
    assert not await blocked.add(line)
    assert await blocked.remove(line)
    assert not blocked.rule_for(number)


async def test_an_empty_list_blocks_nothing(journal: Journal) -> None:
    assert (await listed(journal)).rule_for("+14155552671") is None


async def test_adding_and_removing_leave_the_rest_alone(journal: Journal) -> None:
    blocked = await listed(journal, "+1900*", "+1901*")
    assert await blocked.add("+1 415-555-2671")
    assert await blocked.remove("+1900*")
    assert not await blocked.remove("+1900*")
    assert not await blocked.remove("nonsense")
    assert blocked.rules == (await listed(journal)).rules == ("+1901*", "+14155552671")
    assert blocked.rule_for("+19005551234") is None


@pytest.mark.parametrize("rule", ["", "4155552671", "*", "+*", "+1900**", "+12345678901234567", "+1900*\n+1*"])
async def test_only_a_number_or_a_prefix_can_be_added(journal: Journal, rule: str) -> None:
    with pytest.raises(NumberError):
        await BlockList(journal).add(rule)
    assert await journal.state(STATE) == ("", 0)


@pytest.mark.slow
async def test_many_at_once_in_two_processes_lose_nothing(journal: Journal) -> None:
    both = [await listed(journal) for _ in range(2)]
    numbers = [f"+1415555{place:04}" for place in range(40)]
    await asyncio.gather(*(both[place % 2].add(number) for place, number in enumerate(numbers)))
    assert sorted((await listed(journal)).rules) == numbers
