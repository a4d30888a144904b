"""Environment and `.env` -> Settings."""

import re
from pathlib import Path

import pytest

from services.settings import VARIABLES, SettingsError, read_settings

VAPI = {"VAPI_API_KEY": "private", "VAPI_ASSISTANT_ID": "assistant", "VAPI_PHONE_NUMBER_ID": "number"}


def settings(**environ: str):  # type: ignore[no-untyped-def]
    return read_settings(environ, dotenv=None)


def test_nothing_set_is_the_demo_line() -> None:
    found = settings()
    assert found.demo
    assert found.mode == "demo"
    assert found.missing == ()
    assert (found.host, found.port) == ("127.0.0.1", 8080)


def test_everything_set_is_vapi() -> None:
    found = settings(**VAPI)
    assert not found.demo
    assert found.mode == "vapi"
    assert found.missing == ()


@pytest.mark.parametrize("absent", VAPI)
def test_some_set_names_what_is_missing_and_is_never_the_demo_line(absent: str) -> None:
    found = settings(**{name: value for name, value in VAPI.items() if name != absent})
    assert not found.demo
    assert found.missing == (absent,)


def test_an_empty_variable_counts_as_absent() -> None:
    assert settings(VAPI_API_KEY=" ", VAPI_ASSISTANT_ID="").demo


def test_environment_wins_over_dotenv(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("VAPI_API_KEY=from-file\nPORT=9000\n")
    found = read_settings({"PORT": "9001"}, dotenv=str(file))
    assert found.api_key == "from-file"
    assert found.port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "²"),
        ("VAPI_BASE_URL", "api.vapi.ai"),
        ("VAPI_BASE_URL", "ftp://api.vapi.ai"),
        ("EARSHOT_LISTEN_MODE", "loud"),
        ("EARSHOT_ALLOWED_HOSTS", "*"),
        ("EARSHOT_TRUSTED_PROXIES", "*"),
        ("EARSHOT_TRUSTED_PROXIES", "nonsense"),
        ("EARSHOT_ALLOWED_ORIGINS", "*"),
        ("EARSHOT_ALLOWED_ORIGINS", "crm.example"),
        ("EARSHOT_ALLOWED_REGIONS", "US,XX"),
        ("EARSHOT_CALLS_PER_HOUR", "-1"),
        ("EARSHOT_MAX_CALL_SECONDS", "5"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings(**{name: value})


def test_allowed_hosts_grow_but_never_to_everything() -> None:
    assert settings(HOST="0.0.0.0").allowed_hosts == settings().allowed_hosts
    assert "192.168.1.5" in settings(HOST="192.168.1.5").allowed_hosts
    assert "[fe80::1]" in settings(HOST="fe80::1").allowed_hosts
    assert {"desk.example", "localhost"} <= settings(EARSHOT_ALLOWED_HOSTS="Desk.example, other.example").allowed_hosts


def test_keys_have_no_repr() -> None:
    text = repr(settings(**VAPI, VAPI_PUBLIC_KEY="public-key"))
    assert "private" not in text
    assert "public-key" not in text


def test_the_readme_has_the_same_table() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", readme, re.MULTILINE))
    assert set(rows) == {variable.name for variable in VARIABLES}
    for variable in VARIABLES:
        assert rows[variable.name].strip("`") == (variable.default or "none"), variable.name
