"""The recorded sounds of the demo line: the conversation, a machine's greeting, and whoever a call is transferred to."""

import asyncio
from pathlib import Path

from services.demo_line.conversation import Conversation, ConversationFile
from services.demo_line.numbers import DemoNumber
from services.demo_line.playing import after_ringing

FOLDER = Path(__file__).parents[2] / "assets" / "demo_call"


class Sounds:
    """`conversation` is the FLAC that an answered call plays, with a JSON of the same name beside it."""

    def __init__(self, conversation: Path) -> None:
        self._call = ConversationFile(conversation)
        self._voicemail = ConversationFile(FOLDER / "voicemail.flac")
        self._transfer = ConversationFile(FOLDER / "transfer.flac")

    def of(self, behaviour: DemoNumber) -> ConversationFile:
        """What is heard once somebody, or a machine, picks up."""
        return self._voicemail if behaviour.voicemail else self._call

    async def transferred(self, *, ring_seconds: float, at_48k: bool) -> Conversation:
        """The other phone rings, then somebody answers and speaks."""
        somebody = await self._transfer.conversation(at_48k=at_48k)
        return await asyncio.to_thread(after_ringing, somebody, ring_seconds)

    async def close(self) -> None:
        """Waits for reading threads."""
        await asyncio.gather(*(file.close() for file in (self._call, self._voicemail, self._transfer)))
