"""Environment and `.env` -> one frozen `Settings`. Every variable stands once in `VARIABLES`, which a test holds against the README."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import phonenumbers
from dotenv import dotenv_values


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable: its name, its default as a person reads it, and what it is for."""

    name: str
    default: str
    help: str


VARIABLES = (
    Variable("VAPI_API_KEY", "", "Private key of your Vapi account. All three VAPI ids absent: the demo line"),
    Variable("VAPI_ASSISTANT_ID", "", "The assistant that speaks, unless a request names another"),
    Variable("VAPI_PHONE_NUMBER_ID", "", "The phone number that calls come from, unless a request names another"),
    Variable("VAPI_PUBLIC_KEY", "", "Public key, for listen and control URLs that ask for authentication"),
    Variable("VAPI_BASE_URL", "https://api.vapi.ai", "Where Vapi is; listen and control URLs may be on its host or on *.vapi.ai"),
    Variable("HOST", "127.0.0.1", "Address to serve on"),
    Variable("PORT", "8080", "Port to serve on"),
    Variable("EARSHOT_ALLOWED_HOSTS", "loopback names", "More names under which Earshot may be reached, separated by commas"),
    Variable("EARSHOT_DATA_DIR", ".earshot", "Folder of the journal and the block list; made with access for its owner alone"),
    Variable("DATABASE_URL", "SQLite in the data folder", "SQLAlchemy async URL of another database, such as PostgreSQL"),
    Variable("EARSHOT_PASSWORD", "", "Password of the page; needed to serve wider than loopback"),
    Variable("EARSHOT_API_TOKENS", "", "Tokens for the API: name:scope+scope:sha256 of the token, separated by commas"),
    Variable("EARSHOT_WEBHOOK_SECRET", "", "Secret that Vapi sends with its server messages to /api/vapi_events; without it none is taken"),
    Variable("EARSHOT_TRUSTED_PROXIES", "", "Addresses of proxies whose X-Forwarded headers are believed, separated by commas"),
    Variable("EARSHOT_ALLOWED_ORIGINS", "", "Origins of other websites that may use the API, separated by commas"),
    Variable(
        "EARSHOT_ALLOWED_REGIONS", "the caller ID's own region; on the demo line *", "ISO 3166 codes of countries that may be called, or *"
    ),
    Variable("EARSHOT_CALLS_PER_HOUR", "10", "Most calls in any hour"),
    Variable("EARSHOT_CALLS_PER_DAY", "100", "Most calls in any 24 hours"),
    Variable("EARSHOT_CONCURRENT_CALLS", "5", "Most calls at once"),
    Variable("EARSHOT_MAX_CALL_SECONDS", "600", "Longest a call may last; Vapi ends it then"),
    Variable("EARSHOT_RECORD", "off", "`on`: every call is recorded, unless it is switched off for that call"),
    Variable("EARSHOT_RECORDINGS_MB", "2000", "Most that recordings may take on disk, in megabytes; the oldest are deleted first"),
    Variable("EARSHOT_LISTEN_MODE", "relay", "`relay`: listenUrl is Earshot's own relay; `direct`: it is Vapi's own URL"),
)

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
CREDENTIALS = ("VAPI_API_KEY", "VAPI_ASSISTANT_ID", "VAPI_PHONE_NUMBER_ID")


class SettingsError(ValueError):
    """A variable that can't be used; the message names it and says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process was asked to run. Keys have no repr, so that none ends in a log."""

    api_key: str = field(default="", repr=False)
    assistant_id: str = ""
    phone_number_id: str = ""
    public_key: str = field(default="", repr=False)
    base_url: str = "https://api.vapi.ai"
    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    listen_mode: str = "relay"
    data_dir: Path = Path(".earshot")
    database_url: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    api_tokens: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    trusted_proxies: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()
    allowed_regions: frozenset[str] | None = None
    calls_per_hour: int | None = 10
    calls_per_day: int | None = 100
    concurrent_calls: int | None = 5
    max_call_seconds: int = 600
    record: bool = False
    recordings_mb: int = 2000

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials that are absent while others are there; empty on the demo line and when all are set."""
        values = dict(zip(CREDENTIALS, (self.api_key, self.assistant_id, self.phone_number_id), strict=True))
        absent = tuple(name for name, value in values.items() if not value)
        return () if self.demo else absent

    @property
    def demo(self) -> bool:
        """Whether calls go to the demo line: only when not one Vapi credential is set, so that a typo never fakes a call."""
        return not (self.api_key or self.assistant_id or self.phone_number_id or self.public_key)

    @property
    def mode(self) -> str:
        return "demo" if self.demo else "vapi"


def read_settings(environ: Mapping[str, str] | None = None, dotenv: str | None = ".env") -> Settings:
    """Settings from the environment, which wins, and from the file `dotenv` where it exists.

    Raises SettingsError, naming the variable, for a value that can't be used.
    """
    values: dict[str, str] = {}
    if dotenv is not None:
        values.update({name: value for name, value in dotenv_values(dotenv).items() if value is not None})
    values.update(os.environ if environ is None else environ)

    def get(name: str, default: str = "") -> str:
        return values.get(name, "").strip() or default

    host = get("HOST", "127.0.0.1")
    account = Settings(
        api_key=get("VAPI_API_KEY"),
        assistant_id=get("VAPI_ASSISTANT_ID"),
        phone_number_id=get("VAPI_PHONE_NUMBER_ID"),
        public_key=get("VAPI_PUBLIC_KEY"),
        base_url=_base_url(get("VAPI_BASE_URL", "https://api.vapi.ai")),
    )

    def cap(name: str, default: str) -> int | None:
        # On the demo line nothing costs money: there are no caps but those that were asked for.
        text = get(name, "" if account.demo else default)
        return _count(name, text) if text else None

    return replace(
        account,
        host=host,
        port=_port(get("PORT", "8080")),
        allowed_hosts=_allowed_hosts(get("EARSHOT_ALLOWED_HOSTS"), host),
        data_dir=Path(get("EARSHOT_DATA_DIR", ".earshot")),
        database_url=get("DATABASE_URL"),
        password=get("EARSHOT_PASSWORD"),
        api_tokens=get("EARSHOT_API_TOKENS"),
        webhook_secret=get("EARSHOT_WEBHOOK_SECRET"),
        trusted_proxies=frozenset(_proxy(item) for item in _list(get("EARSHOT_TRUSTED_PROXIES"))),
        allowed_origins=frozenset(_origin(item) for item in _list(get("EARSHOT_ALLOWED_ORIGINS"))),
        allowed_regions=_regions(get("EARSHOT_ALLOWED_REGIONS", "*" if account.demo else "")),
        calls_per_hour=cap("EARSHOT_CALLS_PER_HOUR", "10"),
        calls_per_day=cap("EARSHOT_CALLS_PER_DAY", "100"),
        concurrent_calls=cap("EARSHOT_CONCURRENT_CALLS", "5"),
        max_call_seconds=_seconds(get("EARSHOT_MAX_CALL_SECONDS", "600")),
        record=_one_of("EARSHOT_RECORD", get("EARSHOT_RECORD", "off").lower(), ("on", "off")) == "on",
        recordings_mb=_count("EARSHOT_RECORDINGS_MB", get("EARSHOT_RECORDINGS_MB", "2000")),
        listen_mode=_one_of("EARSHOT_LISTEN_MODE", get("EARSHOT_LISTEN_MODE", "relay").lower(), ("relay", "direct")),
    )


def _base_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise SettingsError("VAPI_BASE_URL must be an http or https address, such as https://api.vapi.ai")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError("PORT must be a number from 1 to 65535")
    return int(text)


def _allowed_hosts(text: str, host: str) -> frozenset[str]:
    """Names compared with a request's `Host` header without its port. The address served on counts, unless it stands for all of them."""
    named = {name.strip().lower() for name in text.split(",") if name.strip()}
    if "*" in named:
        raise SettingsError("EARSHOT_ALLOWED_HOSTS takes names, not *: any website could reach Earshot through a visitor's browser")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        named.add(host.lower())
    else:
        if not address.is_unspecified:
            named.add(f"[{address}]" if address.version == 6 else str(address))
    return LOOPBACK_HOSTS | named


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _proxy(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError:
        raise SettingsError(f"EARSHOT_TRUSTED_PROXIES takes IP addresses or networks, not {text}") from None


def _origin(text: str) -> str:
    url = urlsplit(text.rstrip("/").lower())
    if url.scheme not in ("http", "https") or not url.netloc or url.path or url.query or url.fragment or "*" in text:
        raise SettingsError(f"EARSHOT_ALLOWED_ORIGINS takes origins such as https://crm.example, not {text}")
    return f"{url.scheme}://{url.netloc}"


def _regions(text: str) -> frozenset[str] | None:
    """None where nothing is said: then the caller ID's own region counts. `*` stands alone, for all of them."""
    regions = frozenset(item.upper() for item in _list(text))
    unknown = regions - phonenumbers.SUPPORTED_REGIONS - {"*"}
    if unknown:
        raise SettingsError(f"EARSHOT_ALLOWED_REGIONS takes ISO 3166 codes such as US,GB, or *: {', '.join(sorted(unknown))} is none")
    return regions or None


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise SettingsError(f"{name} must be a whole number, 0 or more")
    return int(text)


def _seconds(text: str) -> int:
    seconds = _count("EARSHOT_MAX_CALL_SECONDS", text)
    if not 10 <= seconds <= 43_200:
        raise SettingsError("EARSHOT_MAX_CALL_SECONDS must be from 10 to 43200, which are Vapi's own limits")
    return seconds


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingsError(f"{name} must be one of: {', '.join(allowed)}")
    return value
