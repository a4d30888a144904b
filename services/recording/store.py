"""An S3-compatible store of finished recordings, with one object for the sound and one for the facts of each part:
`<prefix>/<call id>/<began>.flac` and `.json`, where `began` is when the part began, in milliseconds since 1970.

No two parts share a name, whichever process recorded them, so nothing in the store is ever changed. The facts are written last: a part
counts once they are there.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.domain.errors import StoreError
from services.recording.parts import Part

if TYPE_CHECKING:  # loaded when it is used: most installations keep recordings in a folder
    from obstore.store import S3Store

_CHUNK = 1024 * 1024  # bytes that are read at once, whatever a player asks for: it may take minutes to play what it has
_REQUEST_S = 30
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,40})</Code>")
_RETRIES = 2
_RETRYING_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to reach the store. What is empty is found as AWS's own tools find it: in the environment, or from the machine's role."""

    key_id: str = ""
    secret_key: str = ""
    session_token: str = ""
    region: str = ""
    endpoint: str = ""

    def __repr__(self) -> str:
        return f"Credentials(endpoint={self.endpoint!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSound:
    """The FLAC of a part in the store; `size` in bytes."""

    store: "RecordingStore"
    key: str
    size: int
    e_tag: str

    async def opened(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`, the first of which are there already. Raises StoreError, then and while it is read."""
        first = await self._read(start, stop)

        async def rest() -> AsyncIterator[bytes]:
            yield first
            for at in range(start + _CHUNK, stop, _CHUNK):
                yield await self._read(at, stop)

        return rest()

    async def _read(self, at: int, stop: int) -> bytes:
        return await self.store.read(self.key, at, min(stop, at + _CHUNK))


class RecordingStore:
    """The store at `url`, such as `s3://bucket/prefix`. All methods raise StoreError. No error or log line has a credential."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url = url
        self._credentials = credentials

    @cached_property
    def _s3(self) -> "S3Store":
        from obstore.store import S3Store

        parts, given = urlsplit(self.url), self._credentials
        config = {
            "access_key_id": given.key_id,
            "secret_access_key": given.secret_key,
            "session_token": given.session_token,
            "region": given.region,
            "endpoint": given.endpoint,
        }
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={"timeout": f"{_REQUEST_S}s", "allow_http": given.endpoint.startswith("http://")},
            retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRYING_S)},
            **{name: value for name, value in config.items() if value},  # type: ignore[arg-type]
        )

    async def check(self) -> None:
        """Asks for something, to see whether the store answers."""
        await self._list("earshot-check")

    async def put(self, call_id: str, part: Part, flac: Path) -> None:
        """Stores a part. Returns once the store has proven that it has all of it. Repeating it changes nothing. Raises FileNotFoundError if
        the file is gone.
        """
        import obstore

        name = f"{call_id}/{part.began_ms}"
        facts = json.dumps(asdict(part), ensure_ascii=False, separators=(",", ":")).encode()
        # S3 compares each request's body with the hash that the signature contains, so what it has of the right size is right.
        sound_size = (await asyncio.to_thread(flac.stat)).st_size
        for key, content, size in ((f"{name}.flac", flac, sound_size), (f"{name}.json", facts, len(facts))):
            with self._plain_errors():
                await obstore.put_async(self._s3, key, content)
                stored = (await obstore.head_async(self._s3, key))["size"]
            if stored != size:
                raise StoreError(f"The store has {stored} of {size} bytes of a recording.", code="store_unavailable")

    async def sounds(self, call_id: str) -> dict[int, StoredSound]:
        """The FLAC of each part, by when it began, in milliseconds since 1970."""
        found = {str(entry["path"]): entry for entry in await self._list(call_id)}
        return {
            began: StoredSound(store=self, key=key, size=entry["size"], e_tag=str(entry["e_tag"] or began))
            for key, entry in found.items()
            if key.endswith(".flac") and f"{key.removesuffix('.flac')}.json" in found and (began := _began_ms(key))
        }

    async def parts(self, call_id: str) -> list[Part]:
        """The facts of each part."""
        keys = [sound.key.removesuffix(".flac") + ".json" for sound in (await self.sounds(call_id)).values()]
        return [Part(**json.loads(content)) for content in await asyncio.gather(*(self._get(key) for key in keys))]

    async def delete(self, call_id: str, before_ms: int) -> None:
        """Deletes the parts that began before then. Nothing to delete is no error."""
        import obstore

        keys = [entry["path"] for entry in await self._list(call_id) if _began_ms(entry["path"]) < before_ms]
        if keys:
            with self._plain_errors():
                await obstore.delete_async(self._s3, keys)

    async def read(self, key: str, start: int, stop: int) -> bytes:
        import obstore

        with self._plain_errors():
            return bytes(await obstore.get_range_async(self._s3, key, start=start, end=stop))

    async def _get(self, key: str) -> bytes:
        import obstore

        with self._plain_errors():
            return bytes(await (await obstore.get_async(self._s3, key)).bytes_async())

    async def _list(self, call_id: str) -> list[dict[str, Any]]:
        import obstore

        with self._plain_errors():
            return [dict(entry) async for batch in obstore.list(self._s3, f"{call_id}/") for entry in batch]

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Errors of the store as StoreError. The store's own words stay out: they may quote what was signed, and the key's id."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:  # a missing object is a FileNotFoundError
            words = str(error)
            status, code = _STATUS.search(words), _CODE.search(words)
            raise self._error(int(status[1]) if status else 0, f" ({code[1]})" if code else "") from None

    def _error(self, status: int, why: str) -> StoreError:
        if status in (401, 403):
            what = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they allow."
            return StoreError(f"The store refuses Earshot at {self.url}{why}. {what}", code="store_refused")
        if status == 404:
            where = "EARSHOT_RECORDINGS and AWS_ENDPOINT_URL"
            return StoreError(f"The store does not have {self.url}, or not what was asked for{why}. Check {where}.", code="store_absent")
        what = f"answers with {status}{why}" if status else "can't be reached"
        return StoreError(f"The store of {self.url} {what}. Check AWS_ENDPOINT_URL and the network.", code="store_unavailable")


def _began_ms(key: str) -> int:
    """When a part began, from its object's name; 0 for an object of another name."""
    stem = key.rsplit("/", 1)[-1].split(".", 1)[0]
    return int(stem) if stem.isdecimal() else 0
