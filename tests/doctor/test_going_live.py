"""Credentials that are set on the page: asked of a Vapi over a real socket, and written to a real file."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from dotenv import dotenv_values

from services.demo_line import DemoLine
from services.doctor.going_live import GoingLive
from services.domain.caps import Caps
from services.domain.client import PAGE, Client
from services.domain.errors import Forbidden, RequestError, VapiUnauthorized, VapiUnavailable
from services.domain.person import Role, make_person
from services.settings import CREDENTIALS

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def line() -> AsyncIterator[DemoLine]:
    async with DemoLine() as line:
        yield line


class Desk:
    """Someone who sets credentials in a folder, and how often Earshot started again."""

    def __init__(
        self, folder: Path, base_url: str, *, environ: dict[str, str] | None = None, known_key: str = "", wanted: bool = True
    ) -> None:
        self.file = folder / ".env"
        self.restarts = 0
        self.noted: list[tuple[str, str, int]] = []
        """Who did what, and how often Earshot had started again by then."""
        self.going_live = GoingLive(
            self.file,
            names=CREDENTIALS,
            environ=environ or {},
            known_key=known_key,
            base_url=base_url,
            wanted=wanted,
            note=self._note,
            restart=self._restart,
        )

    def _note(self, client: Client, action: str, *, outcome: str, detail: str) -> "asyncio.Task[None]":
        async def write() -> None:
            await asyncio.sleep(0)
            self.noted.append((client.name, f"{action} {outcome} {detail}", self.restarts))

        return asyncio.create_task(write())

    def _restart(self) -> None:
        self.restarts += 1


def given(line: DemoLine) -> tuple[str, str, str]:
    return line.api_key, line.assistant_id, line.phone_number_id


async def test_a_key_shows_what_it_gives_access_to(line: DemoLine, tmp_path: Path) -> None:
    account = await Desk(tmp_path, line.base_url).going_live.account(f" {line.api_key}\n", PAGE)
    assert line.assistant_id in {assistant.id for assistant in account.assistants}
    assert line.phone_number_id in {number.id for number in account.numbers}


async def test_what_is_saved_is_read_at_the_next_start_by_its_owner_alone(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    desk.file.write_text("# mine\nVAPI_API_KEY=\nPORT=8081")
    desk.file.chmod(0o644)
    await desk.going_live.save(*given(line), PAGE)
    written = dotenv_values(desk.file)
    assert tuple(written[name] for name in CREDENTIALS) == given(line)
    assert written["PORT"] == "8081"
    assert desk.file.read_text().startswith("# mine\n")
    assert stat.S_IMODE(desk.file.stat().st_mode) == 0o600
    assert desk.restarts == 1
    assert desk.noted == [("page", f"write-credentials done {line.assistant_id} {line.phone_number_id}", 0)]


async def test_a_known_key_need_not_be_pasted_again(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url, known_key=line.api_key)
    assert desk.going_live.knows_key
    await desk.going_live.save("", line.assistant_id, line.phone_number_id, PAGE)
    assert dotenv_values(desk.file)["VAPI_API_KEY"] == line.api_key


async def test_only_an_owner_sets_them(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    ben = make_person("Ben", Role.SUPERVISOR, Caps(), now=datetime.now(UTC)).client
    for attempt in (desk.going_live.account(line.api_key, ben), desk.going_live.save(*given(line), ben)):
        with pytest.raises(Forbidden):
            await attempt
    assert (desk.file.exists(), desk.restarts) == (False, 0)


async def test_two_presses_write_and_restart_once(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    outcomes = await asyncio.gather(*(desk.going_live.save(*given(line), PAGE) for _ in range(2)), return_exceptions=True)
    assert [getattr(outcome, "code", None) for outcome in outcomes] == [None, "credentials_written"]
    assert desk.restarts == 1


async def test_a_key_that_vapi_refuses_is_not_written(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    with pytest.raises(VapiUnauthorized) as refused:
        await desk.going_live.save("not-the-key", line.assistant_id, line.phone_number_id, PAGE)
    assert "not-the-key" not in str(refused.value)
    assert not desk.file.exists()
    assert desk.restarts == 0


async def test_without_vapi_nothing_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(VapiUnavailable):
        await desk.going_live.save("key", "a", "p", PAGE)
    assert not desk.file.exists()


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ", "x" * 201, "\x00"])
async def test_what_is_no_key_is_not_sent(tmp_path: Path, key: str) -> None:
    with pytest.raises(RequestError) as refused:
        await Desk(tmp_path, "http://127.0.0.1:9").going_live.account(key, PAGE)
    assert refused.value.code == "invalid_key"


@pytest.mark.parametrize("choice", [("", ""), ("of-another-account", ""), ("a\nPORT=1", "b")])
async def test_only_what_the_account_has_is_written(line: DemoLine, tmp_path: Path, choice: tuple[str, str]) -> None:
    desk = Desk(tmp_path, line.base_url)
    with pytest.raises(RequestError) as refused:
        await desk.going_live.save(line.api_key, *choice, PAGE)
    assert refused.value.code == "invalid_choice"
    assert not desk.file.exists()


async def test_a_key_with_quotes_survives(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    line.api_key = r"""it's"a\key$HOME#x"""
    await desk.going_live.save(*given(line), PAGE)
    assert dotenv_values(desk.file)["VAPI_API_KEY"] == line.api_key


@pytest.mark.parametrize(
    "how", [{"wanted": False}, {"environ": {"VAPI_API_KEY": ""}}, {"environ": {"VAPI_PHONE_NUMBER_ID": "p"}}], ids=["elsewhere", "", "set"]
)
async def test_where_it_is_not_possible_nothing_is_asked_or_written(line: DemoLine, tmp_path: Path, how: dict[str, object]) -> None:
    desk = Desk(tmp_path, line.base_url, **how)  # type: ignore[arg-type]
    assert not desk.going_live.possible
    for attempt in (desk.going_live.account(line.api_key, PAGE), desk.going_live.save(*given(line), PAGE)):
        with pytest.raises(RequestError) as refused:
            await attempt
        assert refused.value.code == "credentials_elsewhere"
    assert not desk.file.exists()


async def test_a_link_in_place_of_the_file_is_left_alone(line: DemoLine, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    assert not Desk(tmp_path, line.base_url).going_live.possible


async def test_a_file_that_can_t_be_written_is_named_with_the_reason(line: DemoLine, tmp_path: Path) -> None:
    desk = Desk(tmp_path, line.base_url)
    os.mkdir(desk.file)  # whoever runs the tests may write everywhere else
    with pytest.raises(RequestError) as refused:
        await desk.going_live.save(*given(line), PAGE)
    assert refused.value.code == "credentials_unwritable"
    assert desk.restarts == 0
