"""Environment and `.env` -> Settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.settings import TABLE, Settings, SettingsError, read_settings
from services.support.environment import Variable, markdown_table
from tests.process import ROOT

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
        ("EARSHOT_RECORDINGS", "s3://"),
        ("EARSHOT_RECORDINGS", "s3://bucket/calls?versions"),
        ("EARSHOT_RECORDINGS", "s3://key:secret@bucket"),
        ("AWS_ENDPOINT_URL", "minio.example"),
        ("AWS_ENDPOINT_URL", "https://key:secret@minio.example"),
        ("AWS_ENDPOINT_URL", "https://minio.example/?x=1"),
        ("VAPI_BASE_URL", "https://key:secret@api.vapi.ai"),
        ("VAPI_BASE_URL", "https://api.vapi.ai:99999"),
        ("EARSHOT_WEBHOOK_FORWARD", "crm.example/vapi"),
        ("EARSHOT_WEBHOOK_FORWARD", "https://me:secret@crm.example/vapi"),
        ("EARSHOT_WEBHOOK_FORWARD", "https://crm.example:port/vapi"),
        ("EARSHOT_WEBHOOK_FORWARD", "https://[crm.example/vapi"),
        ("EARSHOT_WEBHOOK_FORWARD", "https://crm.example/vapi#part"),
        ("EARSHOT_RECORDINGS", "file:///srv/calls"),
        ("EARSHOT_ALLOWED_HOSTS", "*"),
        ("EARSHOT_TRUSTED_PROXIES", "*"),
        ("EARSHOT_TRUSTED_PROXIES", "nonsense"),
        ("EARSHOT_ALLOWED_ORIGINS", "*"),
        ("EARSHOT_ALLOWED_ORIGINS", "crm.example"),
        ("EARSHOT_ALLOWED_REGIONS", "US,XX"),
        ("EARSHOT_CALLS_PER_HOUR", "-1"),
        ("EARSHOT_MAX_CALL_SECONDS", "5"),
        ("EARSHOT_SIP_HOSTS", "*"),
        ("EARSHOT_SIP_HOSTS", "sip:desk@pbx.example"),
        ("EARSHOT_SIP_HOSTS", "pbx.example:"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings(**{name: value})


@pytest.mark.parametrize("name", ["VAPI_BASE_URL", "AWS_ENDPOINT_URL", "EARSHOT_WEBHOOK_FORWARD"])
def test_a_wrong_address_is_not_repeated(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(**{name: "https://me:pa55word@crm.example"})
    assert "pa55word" not in str(error.value)
    assert "such as https://" in str(error.value)


def test_only_the_address_of_the_owner_s_server_may_have_a_query() -> None:
    assert settings(EARSHOT_WEBHOOK_FORWARD="https://crm.example/vapi/?key=1").webhook_forward == "https://crm.example/vapi/?key=1"
    assert settings(VAPI_BASE_URL="https://api.eu.vapi.ai/").base_url == "https://api.eu.vapi.ai"


def test_recordings_go_to_a_folder_or_a_store() -> None:
    assert settings(EARSHOT_RECORDINGS="s3://bucket/calls/2026/").recordings == "s3://bucket/calls/2026"
    assert settings(EARSHOT_RECORDINGS="/srv/calls").recordings == "/srv/calls"
    assert "secret" not in repr(
        settings(AWS_ACCESS_KEY_ID="secret-id", AWS_SECRET_ACCESS_KEY="secret-key", AWS_SESSION_TOKEN="secret-token")
    )


def test_sip_hosts_are_none_unless_named() -> None:
    assert settings().sip_hosts == frozenset()
    assert settings(EARSHOT_SIP_HOSTS="PBX.example, [::1]:5080").sip_hosts == {"pbx.example", "[::1]:5080"}


def test_allowed_hosts_grow_but_never_to_everything() -> None:
    assert settings(HOST="0.0.0.0").allowed_hosts == settings().allowed_hosts
    assert "192.168.1.5" in settings(HOST="192.168.1.5").allowed_hosts
    assert "[fe80::1]" in settings(HOST="fe80::1").allowed_hosts
    assert {"desk.example", "localhost"} <= settings(EARSHOT_ALLOWED_HOSTS="Desk.example, other.example").allowed_hosts


def test_keys_have_no_repr() -> None:
    text = repr(settings(**VAPI, VAPI_PUBLIC_KEY="public-key"))
    assert "private" not in text
    assert "public-key" not in text


def test_every_wrong_value_is_named_in_one_error() -> None:
    def refuse(found: Settings) -> None:
        raise SettingsError(f"EARSHOT_PASSWORD is needed on {found.host}")

    with pytest.raises(SettingsError) as refused:
        read_settings({"PORT": "eighty", "HOST": "0.0.0.0", "EARSHOT_RECORD": "maybe"}, dotenv=None, checks=[refuse])
    assert refused.value.problems == (
        "PORT must be a whole number from 1 to 65535",
        "EARSHOT_RECORD must be on or off",
        "EARSHOT_PASSWORD is needed on 0.0.0.0",
    )


def test_the_demo_line_has_defaults_of_its_own() -> None:
    assert settings().calls_per_hour is None
    assert settings().allowed_regions == {"*"}
    assert settings(EARSHOT_CALLS_PER_HOUR="3").calls_per_hour == 3
    assert settings(**VAPI).calls_per_hour == TABLE["calls_per_hour"].default
    assert settings(**VAPI).allowed_regions is None


@pytest.mark.process
def test_the_readme_has_the_same_table() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    printed = subprocess.run([sys.executable, "-m", "services.settings"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8")
    assert printed.stdout.strip() == markdown_table(TABLE.values())
    table = re.search(r"^\| Variable \|.*\n(?:\|.*\n)*", readme, re.MULTILINE)
    assert table
    assert table[0] == printed.stdout, "python -m services.settings prints it"


@pytest.mark.parametrize("variable", TABLE.values(), ids=lambda variable: variable.name)
def test_a_default_written_out_is_the_default(variable: Variable) -> None:
    """Each default can be set as it is shown, and gives the same settings."""
    shown = variable.shown_default.partition(";")[0]
    if shown.startswith("`"):
        assert read_settings(VAPI | {variable.name: shown.strip("`")}, dotenv=None) == settings(**VAPI)
    else:
        assert variable.default in (None, "", frozenset(), ())
