"""What the demo line's calls leave behind: nothing, wherever recordings of real calls go, and also if Earshot was killed."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from main import open_desk, recordings_of
from services.listening.relay import Relay
from services.settings import read_settings


@pytest.mark.slow
async def test_its_calls_and_recordings_go_when_it_ends(tmp_path: Path) -> None:
    settings = read_settings({"EARSHOT_DATA_DIR": str(tmp_path / "data"), "EARSHOT_RECORDINGS": str(tmp_path / "sound")})
    assert settings.demo
    killed = tmp_path / "data" / "demo" / "killed"
    (killed / "recordings").mkdir(parents=True)
    async with AsyncExitStack() as running:
        account, _, desk = await open_desk(settings, running)
        assert not killed.exists()
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
        recordings = recordings_of(account, desk, relay)
        await recordings.open()
        folder = recordings._disk.folder.path
        assert folder.is_relative_to(tmp_path / "data" / "demo")
        assert (account.data_dir / "demo.sqlite").exists()
        await recordings.aclose()
        await relay.aclose()
    assert [path.name for path in (tmp_path / "data" / "demo").iterdir()] == []
    assert not (tmp_path / "sound").exists()
