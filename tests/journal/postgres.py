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


@contextmanager
def cluster(bin_folder: Path) -> Iterator[Path]:
    """A running server; yields the folder of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="earshot-"))
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)

    def run(program: str, *arguments: str) -> None:
        # Files, not pipes: the server inherits them, and a pipe would not end before it.
        with (folder / "errors").open("a") as errors:
            done = subprocess.run(
                [bin_folder / program, "-D", folder / "data", *arguments],
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            )
        assert done.returncode == 0, f"{program} failed: {(folder / 'errors').read_text()}"

    try:
        run("initdb", "-U", "earshot", "-A", "trust", "-E", "UTF8", "--no-sync")
        # Only clients are killed here, never the machine: what the server has taken need not be on the disk.
        run("pg_ctl", "-l", str(folder / "log"), "-w", "-o", f"-k {folder} -c listen_addresses='' -c fsync=off", "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _owner() -> pwd.struct_passwd | None:
    """Who runs it: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
