"""Calls of a benchmark that are all recorded."""

from collections.abc import Callable
from pathlib import Path

from services.domain.call import Call, CallStatus, ListenTarget
from services.domain.client import PAGE
from services.journal import Journal
from services.listening.relay import Relay
from services.recording.recordings import Recordings


async def _anybody_may(*_: object) -> None:
    pass


async def record_all(folder: Path, calls: int, url_of: Callable[[str], str]) -> tuple[Relay, Recordings]:
    """Records `calls` calls into `folder`, with the ids "0", "1" and so on, without limits. `url_of` gives the address of its sound."""
    known = {str(call): Call(id=str(call), status=CallStatus.IN_PROGRESS) for call in range(calls)}

    async def target(call_id: str) -> ListenTarget:
        return ListenTarget(url=url_of(call_id))

    relay = Relay(target=target, find=known.get, hint=lambda _: None)
    journal = await Journal.open(folder / "journal" / "journal.db")
    recordings = Recordings(
        folder,
        journal=journal.recordings,
        relay=relay,
        find=known.get,
        note=lambda *_: None,
        check=_anybody_may,
        limit=10**10,
        free_floor=0,
    )
    await recordings.open()
    for call_id in known:
        await recordings.start(call_id, PAGE)
    return relay, recordings
