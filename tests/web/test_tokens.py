"""Named tokens and their scopes."""

import hashlib
import hmac

import pytest

from services.domain.client import Scope
from services.settings import SettingsError
from services.web.access.tokens import read_tokens
from services.web.tokens import main


def entry(name: str, scopes: str, token: str) -> str:
    return f"{name}:{scopes}:{hashlib.sha256(token.encode()).hexdigest()}"


def test_a_token_is_its_clients_and_nobody_elses() -> None:
    tokens = read_tokens(f"{entry('crm', 'call+read', 'one')}, {entry('desk', '*', 'two')}")
    crm = tokens.client_of("one")
    assert crm
    assert crm.name == "crm"
    assert crm.scopes == {Scope.CALL, Scope.READ}
    desk = tokens.client_of("two")
    assert desk
    assert desk.scopes == set(Scope)
    for wrong in ("", "three", "one ", "One", "\ud800"):
        assert tokens.client_of(wrong) is None


def test_every_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    real = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append(a)
        return real(a, b)

    monkeypatch.setattr("services.web.access.tokens.hmac.compare_digest", compare)
    read_tokens(f"{entry('a', '*', 'one')},{entry('b', '*', 'two')}").client_of("one")
    assert len(compared) == 2


@pytest.mark.parametrize(
    "text",
    [
        "crm",
        "crm:call",
        "crm:call:abc",
        ":call:" + "0" * 64,
        "crm:fly:" + "0" * 64,
        "page:*:" + "0" * 64,
        "a b:*:" + "0" * 64,
        f"{entry('crm', '*', 'one')},{entry('crm', '*', 'two')}",
    ],
)
def test_an_invalid_entry_is_reported_without_its_hash(text: str) -> None:
    with pytest.raises(SettingsError, match="EARSHOT_API_TOKENS") as refused:
        read_tokens(text)
    assert "0" * 64 not in str(refused.value)


def test_the_command_makes_a_token_that_gets_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crm", "call", "read"]) == 0
    printed = capsys.readouterr().out
    token, made = (line.split()[-1] for line in printed.splitlines())
    client = read_tokens(made).client_of(token)
    assert client
    assert client.scopes == {Scope.CALL, Scope.READ}
    assert main([]) == 2
