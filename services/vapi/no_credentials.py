"""The gateway while credentials are missing, so that everything above it works as usual and says what to set."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal

from services.domain.call import Assistant, Call, CallerId, CallOrder, ListenTarget, Squad
from services.domain.control import Control
from services.domain.errors import CallNotFound, NotConfigured
from services.domain.transcript import Line
from services.support.durations import Durations
from services.vapi.gateway import Gateway
from services.vapi.recordings import Artifact, RecordingDownload
from services.vapi.sdk import Answer


class NoCredentials(Gateway):
    """Knows no call, and raises NotConfigured for everything that would be asked of Vapi. `missing` names the variables to set."""

    def __init__(self, missing: Sequence[str]) -> None:
        self._missing = tuple(missing)
        self._requests = Durations(())

    @property
    def requests(self) -> Durations:
        return self._requests

    async def create_call(self, order: CallOrder) -> Call:
        raise NotConfigured.without(self._missing)

    async def find_call(self, order: CallOrder, *, since: datetime) -> Call | None:
        raise NotConfigured.without(self._missing)

    async def get_call(self, call_id: str) -> Call:
        raise CallNotFound()

    async def list_calls(
        self, *, updated_since: datetime | None = None, created_since: datetime | None = None, limit: int = 100
    ) -> list[Call]:
        raise NotConfigured.without(self._missing)

    async def inspect(self, kind: Literal["call", "assistant", "phone-number"], its_id: str) -> Answer:
        raise NotConfigured.without(self._missing)

    async def list_assistants(self) -> list[Assistant]:
        raise NotConfigured.without(self._missing)

    async def list_squads(self) -> list[Squad]:
        raise NotConfigured.without(self._missing)

    async def get_assistant(self, assistant_id: str) -> Assistant:
        raise NotConfigured.without(self._missing)

    async def list_phone_numbers(self) -> list[CallerId]:
        raise NotConfigured.without(self._missing)

    async def control(self, call_id: str, control: Control) -> None:
        raise NotConfigured.without(self._missing)

    def has_control(self, call_id: str) -> bool:
        return False

    async def transcript(self, call_id: str) -> tuple[Line, ...]:
        raise NotConfigured.without(self._missing)

    def recording(self, call_id: str) -> AbstractAsyncContextManager[RecordingDownload]:
        raise NotConfigured.without(self._missing)

    def artifact(self, call_id: str, artifact: Artifact) -> AbstractAsyncContextManager[RecordingDownload]:
        raise NotConfigured.without(self._missing)

    async def end_call(self, call_id: str) -> None:
        raise NotConfigured.without(self._missing)

    async def delete_call(self, call_id: str) -> None:
        raise NotConfigured.without(self._missing)

    async def listen_target(self, call_id: str) -> ListenTarget:
        raise NotConfigured.without(self._missing)

    async def aclose(self) -> None:
        """There is no connection to close."""
