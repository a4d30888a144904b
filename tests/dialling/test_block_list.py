"""The block list: what people write into it, what is read again, and what survives."""
# ruff: noqa: ASYNC240 - a few bytes that only the test is waiting for

import asyncio
import logging
import os
from pathlib import Path

import pytest

from services.dialling.block_list import BlockList
from services.domain.errors import NumberError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blocked.txt"


async def loaded(path: Path) -> BlockList:
    blocked = BlockList(path)
    await blocked.refresh()
    return blocked


async def test_numbers_prefixes_and_comments(path: Path) -> None:
    path.write_text("# ours\n\n+1 (415) 555-2671  # the neighbour\n+1900*\n+49*\n", "utf-8-sig")
    blocked = await loaded(path)
    assert blocked.rule_for("+14155552671") == "+14155552671"
    assert blocked.rule_for("+19005551234") == "+1900*"
    assert blocked.rule_for("+493012345678") == "+49*"
    assert blocked.rule_for("+14155552672") is None
    assert blocked.rule_for("+1415555267") is None
    assert blocked.bad_lines == ()


async def test_an_extension_of_a_blocked_number_is_blocked(path: Path) -> None:
    path.write_text("+493023125012\n")
    blocked = await loaded(path)
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
async def test_a_number_is_blocked_however_it_is_written(path: Path, line: str, number: str) -> None:
    path.write_text(f"{line}  # as on their letters\n")
    blocked = await loaded(path)
    assert blocked.bad_lines == ()
    assert blocked.rule_for(number)
    assert await blocked.remove(line)
    assert await blocked.add(line)
    assert blocked.rule_for(number)


async def test_no_file_blocks_nothing(path: Path) -> None:
    assert (await loaded(path)).rule_for("+14155552671") is None


async def test_lines_that_mean_nothing_are_told_once_and_the_others_hold(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("1900*\n+1900*\nmy neighbour 4155552671\n+19*00\n")
    with caplog.at_level(logging.WARNING):
        blocked = BlockList(path)
        await asyncio.gather(*(blocked.refresh() for _ in range(3)))
        await blocked.refresh()
    assert blocked.bad_lines == (1, 3, 4)
    assert [record.getMessage() for record in caplog.records] == ["the block list has invalid lines, which block nothing: 1, 3, 4"]
    assert blocked.rule_for("+19005551234")


async def test_an_edit_by_hand_is_seen_by_the_next_who_dials(path: Path) -> None:
    path.write_text("+1900*\n")
    blocked = await loaded(path)
    path.write_text("+1901*\n")
    os.utime(path, ns=(1, 1))
    await blocked.refresh()
    assert blocked.rule_for("+19005551234") is None
    assert blocked.rule_for("+19015551234")
    path.unlink()
    await blocked.refresh()
    assert blocked.rule_for("+19015551234") is None


async def test_adding_and_removing_are_kept_and_leave_the_rest_alone(path: Path) -> None:
    path.write_text("# mine\n+1900*  # dear\nnonsense\n")
    blocked = await loaded(path)
    assert await blocked.add("+1 415-555-2671")
    assert not await blocked.add("+14155552671")
    assert blocked.rule_for("+14155552671")
    assert path.read_text() == "# mine\n+1900*  # dear\nnonsense\n+14155552671\n"
    assert await blocked.remove("+1900*")
    assert not await blocked.remove("+1900*")
    assert not await blocked.remove("nonsense")
    again = await loaded(path)
    assert again.rule_for("+19005551234") is None
    assert again.rule_for("+14155552671")
    assert path.read_text() == "# mine\nnonsense\n+14155552671\n"
    assert os.listdir(path.parent) == ["blocked.txt"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("rule", ["", "4155552671", "*", "+*", "+1900**", "+12345678901234567", "+1900*\n+1*"])
async def test_only_a_number_or_a_prefix_can_be_added(path: Path, rule: str) -> None:
    blocked = await loaded(path)
    with pytest.raises(NumberError):
        await blocked.add(rule)
    assert not path.exists()


async def test_many_at_once_lose_nothing(path: Path) -> None:
    blocked = await loaded(path)
    numbers = [f"+1415555{place:04}" for place in range(40)]
    await asyncio.gather(*map(blocked.add, numbers))
    assert all(map(blocked.rule_for, numbers))
    assert path.read_text().count("+1415") == 40


async def test_what_can_not_be_read_at_first_is_an_error_and_later_changes_nothing(path: Path) -> None:
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        await loaded(path)
    path.rmdir()
    path.write_text("+1900*\n")
    blocked = await loaded(path)
    path.unlink()
    path.mkdir()
    await blocked.refresh()
    assert blocked.rule_for("+19005551234")
