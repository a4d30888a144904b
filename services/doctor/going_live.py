"""From the demo line to real calls: asks Vapi about a key, and writes the credentials to `.env`."""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from dotenv import set_key

from services.domain.call import Assistant, CallerId
from services.domain.client import Client, Scope
from services.domain.errors import FieldError, RequestError
from services.domain.permissions import require
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_ONLY_THE_OWNER = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a key gives access to, to choose from."""

    assistants: tuple[Assistant, ...]
    numbers: tuple[CallerId, ...]


class GoingLive:
    """Writes `file` and restarts Earshot. Refused once calls can be placed through Vapi.

    `names`: of the variables for the key, the assistant and the phone number. `environ`: a credential that is set there wins over the file,
    so nothing written would have an effect.

    `wanted`: calls go to the demo line or credentials are missing, and this server is reached only on loopback. `known_key`: a key that is
    set already, else "". `note` writes the audit. `restart` stops this process and starts it again.
    """

    def __init__(
        self,
        file: Path,
        *,
        names: Sequence[str],
        environ: Mapping[str, str],
        known_key: str,
        base_url: str,
        wanted: bool,
        note: "Callable[..., asyncio.Task[None]]",
        restart: Callable[[], None],
    ) -> None:
        self._file = file
        self._names = names
        self._known_key = known_key
        self._base_url = base_url
        self._note = note
        self._restart = restart
        self._one_at_a_time = asyncio.Lock()
        self._done = False
        writable = os.access(file if file.exists() else file.parent, os.W_OK) and not file.is_symlink()
        self.possible = wanted and writable and not any(name in environ for name in names)

    @property
    def knows_key(self) -> bool:
        return bool(self._known_key)

    async def account(self, key: str, client: Client) -> Account:
        """What `key`, or the known one if it is empty, gives access to. Raises Forbidden, RequestError, or what the gateway raises if Vapi
        refuses."""
        require(client, Scope.MANAGE)
        self._require_possible()
        async with aclosing(Gateway(api_key=self._checked(key), base_url=self._base_url)) as gateway:
            assistants, numbers = await asyncio.gather(gateway.list_assistants(), gateway.list_phone_numbers())
        return Account(assistants=tuple(assistants), numbers=tuple(numbers))

    async def save(self, key: str, assistant_id: str, phone_number_id: str, client: Client) -> None:
        """Writes all three, once, if Vapi says that they belong together, and restarts Earshot. Raises the errors of `account`."""
        async with self._one_at_a_time:
            self._require_possible()
            account = await self.account(key, client)
            assistants = {assistant.id for assistant in account.assistants}
            if assistant_id not in assistants or phone_number_id not in {number.id for number in account.numbers}:
                raise RequestError("Choose an assistant and a phone number of this account.", code="invalid_choice")
            values = dict(zip(self._names, (self._checked(key), assistant_id, phone_number_id), strict=True))
            await asyncio.to_thread(_write, self._file, values)
            self._done = True
            log.info("%s set the credentials on the page", client.name)
            await self._note(client, "write-credentials", outcome="done", detail=f"{assistant_id} {phone_number_id}")
        self._restart()

    def _require_possible(self) -> None:
        if not self.possible:
            raise RequestError(
                "Credentials can't be set on the page here. Set them in the file .env, and restart Earshot.", code="credentials_elsewhere"
            )
        if self._done:
            raise RequestError("The credentials were just written. Earshot is starting again.", code="credentials_written")

    def _checked(self, key: str) -> str:
        key = key.strip() or self._known_key
        if not _KEY.fullmatch(key):
            text = "Paste the private key from the Vapi dashboard: one line without spaces."
            raise RequestError(text, code="invalid_key", errors=[FieldError("key", text)])
        return key


def _write(file: Path, values: Mapping[str, str]) -> None:
    """Writes a file that only its owner can ever read. Raises RequestError if it can't be written."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, _ONLY_THE_OWNER))
        file.chmod(_ONLY_THE_OWNER)
        for name, value in values.items():
            set_key(file, name, value)
    except OSError as error:
        text = f"The file .env can't be written ({error.strerror}). Make room or give Earshot the right to write it, then try again."
        raise RequestError(text, code="credentials_unwritable") from error
