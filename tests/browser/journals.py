"""An Earshot that starts with what a test has put into its journal."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.journal import Journal
from tests.browser.conftest import ROOT, Earshot, earshot_process
from tests.browser.lines import scripted
from tests.process import vapi_environ


@contextmanager
def earshot_with_journal(
    write: Callable[[Journal], Awaitable[None]], folder: Path, program: Path = ROOT / "main.py", **environment: str
) -> Iterator[Earshot]:
    """Its journal is in `folder`, and `write` has filled it."""
    url = f"sqlite:///{folder / 'journal.sqlite'}"

    async def fill() -> None:
        journal = await Journal.open(url)
        await write(journal)
        await journal.aclose()

    with asyncio.Runner() as runner:
        runner.run(fill())
    with scripted() as (vapi, _), earshot_process(program, **vapi_environ(vapi.url), DATABASE_URL=url, **environment) as earshot:
        yield earshot
