"""A database that can't be reached is reported in plain words, not in those of the operating system."""

import errno
import socket
from pathlib import Path

import pytest

from services.domain.errors import JournalError
from services.journal import Journal
from services.journal.database.database import plain_errors

SILENT = "its database does not answer."


@pytest.mark.slow
async def test_a_server_whose_socket_is_gone_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as error:
        await Journal.open(f"postgresql://earshot@/calls?host={tmp_path}")
    assert error.value.detail.endswith(SILENT)


async def test_a_server_whose_name_is_wrong_is_reported_as_such() -> None:
    with pytest.raises(JournalError, match="the name of its database's server can't be resolved"):
        await Journal.open("postgresql://earshot@no-such-host.invalid/calls")


@pytest.mark.parametrize("option", ["channel_binding=require", "sslrootcert=root.pem", "connect_timeout=10"])
async def test_an_option_that_only_other_tools_know_is_named(option: str) -> None:
    with pytest.raises(JournalError, match=f"does not know: {option.partition('=')[0]}. Leave"):
        await Journal.open(f"postgresql://earshot@localhost/calls?sslmode=require&{option}")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 5432)"), SILENT),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432, 0, 0), [Errno 111] ..."), SILENT),
        (OSError(errno.EHOSTUNREACH, "No route to host"), SILENT),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), SILENT),
        (TimeoutError(), SILENT),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "can't be resolved."),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files."),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied."),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "journal.db"), "'journal.db'."),
    ],
)
def test_only_what_the_network_says_is_put_into_other_words(error: OSError, words: str) -> None:
    with pytest.raises(JournalError) as found, plain_errors():
        raise error
    assert found.value.detail.endswith(words)
