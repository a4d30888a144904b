"""An S3 server in a process of its own that checks signatures, and a way to it that a test can block."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from services.recording.store import Credentials, RecordingStore
from tests.patience import HANG_S
from tests.ports import free_port

BUCKET = "calls"
REGION = "us-east-1"
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
_UNCHECKED_REQUESTS = 4  # for what `_account` asks for; all later ones need a valid signature


@dataclass(frozen=True, kw_only=True)
class S3:
    """A server with one bucket, and the credentials of an account that may use it."""

    url: str
    key_id: str
    secret_key: str

    def credentials(self, url: str | None = None, secret_key: str | None = None) -> Credentials:
        return Credentials(key_id=self.key_id, secret_key=secret_key or self.secret_key, region=REGION, endpoint=url or self.url)

    def store(self, prefix: str, *, bucket: str = BUCKET, url: str | None = None, secret_key: str | None = None) -> RecordingStore:
        return RecordingStore(f"s3://{bucket}/{prefix}", self.credentials(url, secret_key))

    def environ(self, prefix: str, url: str | None = None) -> dict[str, str]:
        """The settings of an app that stores its recordings there."""
        return {
            "EARSHOT_RECORDINGS": f"s3://{BUCKET}/{prefix}",
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": url or self.url,
        }

    def objects(self, prefix: str) -> dict[str, int]:
        """The size of each object, by its key after the prefix."""
        with closing(_client("s3", self.url, self.key_id, self.secret_key)) as client:
            found = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", ())
        return {entry["Key"].removeprefix(f"{prefix}/"): entry["Size"] for entry in found}


@contextmanager
def s3_server() -> Iterator[S3]:
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
        env=environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(_UNCHECKED_REQUESTS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_served(process, port)
        yield _account(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _wait_until_served(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = time.monotonic() + HANG_S
    while process.poll() is None and time.monotonic() < give_up:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError("the S3 server did not start")


def _account(url: str) -> S3:
    with closing(_client("iam", url, "anyone", "anyone")) as iam, closing(_client("s3", url, "anyone", "anyone")) as s3:
        iam.create_user(UserName="earshot")
        iam.put_user_policy(UserName="earshot", PolicyName="all", PolicyDocument=json.dumps(_POLICY))
        made = iam.create_access_key(UserName="earshot")["AccessKey"]
        s3.create_bucket(Bucket=BUCKET)
    return S3(url=url, key_id=made["AccessKeyId"], secret_key=made["SecretAccessKey"])


def _client(service: str, url: str, key_id: str, secret_key: str) -> Any:
    import boto3  # takes long to load, and only tests with an S3 server need it

    return boto3.client(service, endpoint_url=url, aws_access_key_id=key_id, aws_secret_access_key=secret_key, region_name=REGION)


class Gate:
    """A way to a server. While `shut`, there is no connection; after `most` bytes of a connection, its bytes are held back."""

    def __init__(self, port: int) -> None:
        self.url = ""
        self._shut = False
        self.most: int | None = None
        self.held_back = asyncio.Event()
        self._port = port
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def shut(self) -> bool:
        return self._shut

    @shut.setter
    def shut(self, shut: bool) -> None:
        self._shut = shut
        for task in self._passing if shut else ():
            task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._passing.add(task)
        writers = [writer]
        try:
            if not self.shut:
                there, back = await asyncio.open_connection("127.0.0.1", self._port)
                writers.append(back)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._copy(reader, back, limited=True))
                    both.create_task(self._copy(there, writer, limited=False))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # the one side or the other has gone
        finally:
            self._passing.discard(task)
            for open_ in writers:
                open_.close()

    async def aclose(self) -> None:
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, limited: bool) -> None:
        passed = 0
        while chunk := await source.read(65_536):
            passed += len(chunk)
            if limited and self.most is not None and passed > self.most:
                self.held_back.set()
                await asyncio.Event().wait()
            sink.write(chunk)
            await sink.drain()
        raise ConnectionError  # so that the other direction ends too


@asynccontextmanager
async def gate_to(url: str) -> AsyncIterator[Gate]:
    gate = Gate(int(url.rsplit(":", 1)[1]))
    server = await asyncio.start_server(gate._pass, "127.0.0.1", 0)
    gate.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield gate
    finally:
        server.close()
        await gate.aclose()
