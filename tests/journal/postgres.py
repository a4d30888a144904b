"""A throw-away PostgreSQL of the tests' own: in a temporary folder, on a Unix socket there, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: on the PATH, or where Debian puts them, the newest one."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


class Server:
    """A cluster in `folder`, which also holds its socket. `start` and `stop` return once that is done."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.folder = folder
        self._bin_folder = bin_folder
        self._owner = _owner()
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)

    def create(self) -> None:
        # Small segments, so that a cluster fits on a small disk.
        self._run("initdb", "-U", "earshot", "-A", "trust", "-E", "UTF8", "--no-sync", "--wal-segsize", "1")

    def start(self) -> None:
        # Only clients are killed here, never the machine: what the server has taken need not be on the disk.
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-m", mode, "stop")

    @property
    def running(self) -> bool:
        return self._returned("pg_ctl", "status") == 0

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://earshot@/{database}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        code = self._returned(program, *arguments)
        assert code == 0, f"{program} failed: {(self.folder / 'errors').read_text()}"

    def _returned(self, program: str, *arguments: str) -> int:
        owner = self._owner
        # Files, not pipes: the server inherits them, and a pipe would not end before it.
        with (self.folder / "errors").open("a") as errors:
            return subprocess.run(
                [self._bin_folder / program, "-D", self.folder / "data", *arguments],
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            ).returncode


@contextmanager
def cluster(bin_folder: Path, at: Path | None = None) -> Iterator[Server]:
    """A running server in the folder `at`, else in a temporary one. It may be stopped and started in between."""
    folder = at or Path(tempfile.mkdtemp(prefix="earshot-"))
    try:
        server = Server(bin_folder, folder)
        server.create()
        server.start()
        try:
            yield server
        finally:
            if server.running:
                server.stop()
    finally:
        if at is None:
            shutil.rmtree(folder)


def _owner() -> pwd.struct_passwd | None:
    """Who runs it: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
