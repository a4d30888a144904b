"""All settings: one table of names, defaults, parsers and help, read from the environment and `.env` into a frozen `Settings`.

`python -m services.settings` prints the table for the README, `python main.py --help` prints it as plain text.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from dotenv import dotenv_values

from services.domain.annotation import LONGEST_LABEL
from services.domain.call import LONGEST_CALL_SECONDS, SHORTEST_CALL_SECONDS
from services.domain.limits import Limits
from services.domain.role_claims import RoleRule, role_rules
from services.support.environment import comma_list, markdown_table, on_or_off, one_of, setting, variables_of, whole_number
from services.support.log_lines import FORMATS
from services.support.traces import EXPORTERS

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OWN_PATHS = frozenset(
    {
        *(
            "api",
            "assets",
            "call-files",
            "docs",
            "favicon.ico",
            "health",
            "insights",
            "join",
            "login",
            "logout",
            "metrics",
            "openapi.json",
            "recordings",
        ),
        "vapi-recordings",
    }
)
CREDENTIALS = ("VAPI_API_KEY", "VAPI_ASSISTANT_ID", "VAPI_PHONE_NUMBER_ID")


class SettingsError(ValueError):
    """Settings that can't be used. `problems` has one sentence per wrong value, which names the variable and says what would be right."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _web_address(example: str, *, query: bool = False) -> Callable[[str], str]:
    """A parser of http and https addresses. Without `query`, paths are added to them, so that they may not end in a slash either."""

    def parse(text: str) -> str:
        try:
            url = urlsplit(text)
            usable = bool(url.hostname) and url.port != 0 and re.fullmatch(r"[!-~]+", text) is not None
        except ValueError:  # brackets that do not match, or a port over 65535
            usable = False
        if not usable or url.scheme not in ("http", "https") or "@" in url.netloc or url.fragment or (url.query and not query):
            raise ValueError(f"must be an http or https address without user and password, such as {example}")
        return text if query else text.rstrip("/")

    return parse


def _signed_payload(text: str) -> str:
    unknown = set(re.findall(r"\{[^{}]*\}", text)) - {"{timestamp}", "{body}", "{method}"}
    if "{body}" not in text or unknown:
        raise ValueError("takes a payload format of {timestamp}, {body} and {method}, such as {timestamp}.{body}, with {body} in it")
    return text


def _hosts(text: str) -> frozenset[str]:
    names = frozenset(name.lower() for name in comma_list(text))
    if "*" in names:
        raise ValueError("takes names, not *: any website could reach Earshot through a visitor's browser")
    return LOOPBACK_HOSTS | names


def _recordings(text: str) -> str:
    if "://" in text and not re.fullmatch(r"s3://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[\w.!*'()/-]*)?", text, re.ASCII):
        raise ValueError("takes a folder, or a store such as s3://bucket/prefix")
    return text.rstrip("/") if text.startswith("s3://") else text


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if not re.fullmatch(r"(/[a-z0-9][a-z0-9._-]*)*", path, re.ASCII | re.IGNORECASE):
        raise ValueError("takes a path such as /calls")
    if path.split("/")[1:2] and path.split("/")[1].lower() in _OWN_PATHS:
        raise ValueError(f"takes a path that Earshot does not use itself, not {path}")
    return path


def _issuer(text: str) -> str:
    issuer = _web_address("https://login.example")(text)
    if urlsplit(issuer).scheme != "https" and urlsplit(issuer).hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must be an https address: only on this machine may it be http")
    return issuer


def _scopes(text: str) -> str:
    scopes = text.replace(",", " ").split()
    if "openid" not in scopes:
        raise ValueError("takes scopes with openid among them, such as openid profile email")
    return " ".join(scopes)


def _networks(text: str) -> frozenset[str]:
    def network(item: str) -> str:
        try:
            return str(ipaddress.ip_network(item)) if "/" in item else str(ipaddress.ip_address(item))
        except ValueError:
            raise ValueError(f"takes IP addresses or networks, not {item}") from None

    return frozenset(network(item) for item in comma_list(text))


def _origins(text: str) -> frozenset[str]:
    def origin(item: str) -> str:
        url = urlsplit(item.rstrip("/").lower())
        if url.scheme not in ("http", "https") or not url.netloc or url.path or url.query or url.fragment or "*" in item:
            raise ValueError(f"takes origins such as https://crm.example, not {item}")
        return f"{url.scheme}://{url.netloc}"

    return frozenset(origin(item) for item in comma_list(text))


def _regions(text: str) -> frozenset[str] | None:
    regions = frozenset(item.upper() for item in comma_list(text))
    unknown = regions - phonenumbers.SUPPORTED_REGIONS - {"*"}
    if unknown:
        raise ValueError(f"takes ISO 3166 codes such as US,GB, or *, not {', '.join(sorted(unknown))}")
    return regions or None


def _dispositions(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(" ".join(item.split()) for item in comma_list(text)))
    if any(len(name) > LONGEST_LABEL for name in names):
        raise ValueError(f"takes names of at most {LONGEST_LABEL} characters")
    return names


def _sip_hosts(text: str) -> frozenset[str]:
    def host(item: str) -> str:
        if not re.fullmatch(r"(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", item, re.ASCII):
            raise ValueError(f"takes host names or addresses such as pbx.example.com or pbx.example.com:5080, not {item}")
        return item

    return frozenset(host(item.lower()) for item in comma_list(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process runs. Each field is a row of the table, in the README's order."""

    api_key: str = setting("VAPI_API_KEY", "", "Private key of your Vapi account. No Vapi variable set: the demo line", str, secret=True)
    assistant_id: str = setting("VAPI_ASSISTANT_ID", "", "Assistant that speaks, unless a request names another", str)
    phone_number_id: str = setting("VAPI_PHONE_NUMBER_ID", "", "Phone number that calls come from, unless a request names another", str)
    public_key: str = setting(
        "VAPI_PUBLIC_KEY", "", "Public key, for listen and control URLs that ask for authentication", str, secret=True
    )
    base_url: str = setting(
        "VAPI_BASE_URL",
        "https://api.vapi.ai",
        "Address of Vapi's API; in the EU region `https://api.eu.vapi.ai`. "
        "Listen and control URLs are opened only on its host and on `*.vapi.ai`",
        _web_address("https://api.vapi.ai"),
    )
    host: str = setting("HOST", "127.0.0.1", "Address to serve on", str)
    port: int = setting("PORT", 8080, "Port to serve on", whole_number(1, 65_535))
    allowed_hosts: frozenset[str] = setting(
        "EARSHOT_ALLOWED_HOSTS",
        LOOPBACK_HOSTS,
        "More host names under which Earshot may be reached, separated by commas; `HOST` is allowed too",
        _hosts,
    )
    root_path: str = setting(
        "EARSHOT_ROOT_PATH",
        "",
        "Path under which everything is served, such as `/calls`, beside other things on one host; a proxy may pass it on or remove it",
        _root_path,
    )
    data_dir: Path = setting(
        "EARSHOT_DATA_DIR",
        Path(".earshot"),
        "Folder of the journal and the recordings; readable by its owner only",
        Path,
    )
    database_url: str = setting(
        "DATABASE_URL",
        "",
        "SQLAlchemy URL of another database: `postgresql://user:password@host/name`",
        str,
        unset="SQLite in the data folder",
        secret=True,
    )
    password: str = setting(
        "EARSHOT_PASSWORD", "", "Password of the page; required to serve other machines than this one", str, secret=True
    )
    people: bool = setting(
        "EARSHOT_PEOPLE",
        False,
        "`on`: people log in with a name and a password of their own; until there is an owner, the log has a link for the first one",
        on_or_off,
    )
    oidc_issuer: str = setting(
        "EARSHOT_OIDC_ISSUER",
        "",
        "Address of an OpenID Connect provider, with whose accounts people sign in; [docs/sign_in.md](docs/sign_in.md) says how",
        _issuer,
    )
    oidc_client_id: str = setting("EARSHOT_OIDC_CLIENT_ID", "", "Id that the provider gave to Earshot", str)
    oidc_client_secret: str = setting(
        "EARSHOT_OIDC_CLIENT_SECRET", "", "Secret that the provider gave to Earshot; a public client has none", str, secret=True
    )
    oidc_scopes: str = setting("EARSHOT_OIDC_SCOPES", "openid profile email", "Scopes that Earshot asks the provider for", _scopes)
    oidc_role_claim: str = setting(
        "EARSHOT_OIDC_ROLE_CLAIM", "roles", "Claim that gives people their role, or a path such as `realm_access.roles`", str
    )
    oidc_roles: tuple[RoleRule, ...] = setting(
        "EARSHOT_OIDC_ROLES",
        (),
        "Which value of the claim gives which role, such as `owner=earshot-admins, viewer=*`; `*` is everybody. The highest role counts",
        role_rules,
    )
    api_tokens: str = setting(
        "EARSHOT_API_TOKENS",
        "",
        "Tokens for the API, separated by commas; `python -m services.web.tokens NAME` makes one",
        str,
        secret=True,
    )
    webhook_secret: str = setting(
        "EARSHOT_WEBHOOK_SECRET",
        "",
        "Secret that Vapi sends with its server messages to `/api/vapi_events`, in `X-Vapi-Secret` or as a bearer token; "
        "without it and without a key for signatures, none is accepted",
        str,
        secret=True,
    )
    webhook_hmac_key: str = setting(
        "EARSHOT_WEBHOOK_HMAC_KEY", "", "Secret key of Vapi's HMAC credential, if it signs its server messages", str, secret=True
    )
    webhook_hmac_payload: str = setting(
        "EARSHOT_WEBHOOK_HMAC_PAYLOAD",
        "{timestamp}.{body}",
        "Payload format of Vapi's HMAC credential, of `{timestamp}`, `{body}` and `{method}`",
        _signed_payload,
    )
    webhook_forward: str = setting(
        "EARSHOT_WEBHOOK_FORWARD",
        "",
        "Address of your own server, which gets every server message of Vapi's from Earshot and answers tool calls and the like",
        _web_address("https://crm.example/vapi", query=True),
        secret=True,
    )
    webhook_networks: frozenset[str] = setting(
        "EARSHOT_WEBHOOK_NETWORKS",
        frozenset(),
        "Private IP addresses or networks that events may be sent to, also without https, separated by commas; if unset, none",
        _networks,
    )
    trusted_proxies: frozenset[str] = setting(
        "EARSHOT_TRUSTED_PROXIES",
        frozenset(),
        "IP addresses or networks of proxies whose X-Forwarded headers are trusted, separated by commas",
        _networks,
    )
    allowed_origins: frozenset[str] = setting(
        "EARSHOT_ALLOWED_ORIGINS",
        frozenset(),
        "Origins of other websites that may use the API, such as `https://crm.example`, separated by commas",
        _origins,
    )
    allowed_regions: frozenset[str] | None = setting(
        "EARSHOT_ALLOWED_REGIONS",
        None,
        "ISO 3166 codes of the countries that may be called, separated by commas, or `*` for all",
        _regions,
        unset="the caller ID's own region",
        demo_default=frozenset({"*"}),
    )
    sip_hosts: frozenset[str] = setting(
        "EARSHOT_SIP_HOSTS",
        frozenset(),
        "Hosts that calls and transfers may reach by SIP, such as `pbx.example.com`, separated by commas; if unset, none",
        _sip_hosts,
    )
    calls_per_hour: int | None = setting(
        "EARSHOT_CALLS_PER_HOUR", 10, "Maximum number of calls in any hour", whole_number(0), unset="no limit", demo_default=None
    )
    calls_per_day: int | None = setting(
        "EARSHOT_CALLS_PER_DAY", 100, "Maximum number of calls in any 24 hours", whole_number(0), unset="no limit", demo_default=None
    )
    concurrent_calls: int | None = setting(
        "EARSHOT_CONCURRENT_CALLS", 5, "Maximum number of calls at once", whole_number(0), unset="no limit", demo_default=None
    )
    # The bounds are Vapi's own.
    max_call_seconds: int = setting(
        "EARSHOT_MAX_CALL_SECONDS",
        600,
        "Maximum duration of a call in seconds; Vapi ends it then",
        whole_number(SHORTEST_CALL_SECONDS, LONGEST_CALL_SECONDS),
    )
    dispositions: tuple[str, ...] = setting(
        "EARSHOT_DISPOSITIONS",
        (),
        "How people may mark the result of a call, such as `sold, call again, not interested`, separated by commas",
        _dispositions,
    )
    record: bool = setting("EARSHOT_RECORD", False, "`on`: records every call, unless recording is switched off for that call", on_or_off)
    measure: bool = setting(
        "EARSHOT_MEASURE",
        True,
        "Measures the conversations of calls placed here, for which their sound is fetched also while nobody listens; `off`: does not",
        on_or_off,
    )
    recordings: str = setting(
        "EARSHOT_RECORDINGS",
        "",
        "Folder of the recordings, or an S3-compatible store such as `s3://bucket/prefix`, which all processes on one journal can share;"
        " empty: `recordings` in the data folder",
        _recordings,
    )
    s3_key_id: str = setting(
        "AWS_ACCESS_KEY_ID", "", "Key of the S3 store, if recordings go there", str, unset="the machine's own role", secret=True
    )
    s3_secret_key: str = setting("AWS_SECRET_ACCESS_KEY", "", "The secret of `AWS_ACCESS_KEY_ID`", str, secret=True)
    s3_session_token: str = setting("AWS_SESSION_TOKEN", "", "Session token of the S3 store, for temporary keys", str, secret=True)
    s3_region: str = setting("AWS_REGION", "", "Region of the S3 store", str, unset="us-east-1")
    s3_endpoint: str = setting(
        "AWS_ENDPOINT_URL",
        "",
        "Address of an S3-compatible store, such as `https://minio.example`",
        _web_address("https://minio.example"),
        unset="Amazon's own",
    )
    recordings_mb: int = setting(
        "EARSHOT_RECORDINGS_MB",
        2000,
        "Maximum size of all recordings on disk, in megabytes; the oldest are deleted first. With a store: of those that wait to be"
        " uploaded, and none is deleted",
        whole_number(0),
    )
    keep_recordings_days: int | None = setting(
        "EARSHOT_KEEP_RECORDINGS_DAYS",
        None,
        "Days after which Earshot deletes its recordings",
        whole_number(1),
        unset="as long as there is room",
    )
    keep_transcripts_days: int | None = setting(
        "EARSHOT_KEEP_TRANSCRIPTS_DAYS",
        None,
        "Days after which Earshot deletes the transcripts of calls; Vapi keeps its own",
        whole_number(1),
        unset="400 days",
    )
    keep_numbers_days: int | None = setting(
        "EARSHOT_KEEP_NUMBERS_DAYS",
        None,
        "Days after which the data of calls is deleted, here and at Vapi, and numbers are masked; times and costs stay",
        whole_number(1),
        unset="400 days",
    )
    metrics_token: str = setting(
        "EARSHOT_METRICS_TOKEN",
        "",
        "Token with which Prometheus reads `/metrics`; this machine itself needs none, unless proxies are named",
        str,
        secret=True,
    )
    log_format: str = setting(
        "EARSHOT_LOG_FORMAT", "logfmt", "Format of the log: `logfmt` for people, `json` for programs that collect logs", one_of(*FORMATS)
    )
    otel_exporter: str = setting(
        "OTEL_TRACES_EXPORTER",
        "",
        "OpenTelemetry traces: `otlp` sends them to a collector, `console` prints them, `none` has none",
        one_of(*EXPORTERS),
        unset="with an endpoint `otlp`, else `none`",
    )
    otel_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "Address of the collector, which takes OTLP over HTTP, such as `http://localhost:4318`",
        _web_address("http://localhost:4318"),
    )
    otel_headers: str = setting(
        "OTEL_EXPORTER_OTLP_HEADERS", "", "Headers for the collector, such as `api-key=...`, separated by commas", str, secret=True
    )
    otel_service: str = setting("OTEL_SERVICE_NAME", "earshot", "Name of this service in traces", str)
    otel_disabled: str = setting("OTEL_SDK_DISABLED", "false", "`true`: no traces, whatever else is set", one_of("true", "false"))
    listen_mode: str = setting(
        "EARSHOT_LISTEN_MODE",
        "relay",
        "`relay`: listenUrl is Earshot's own relay; `direct`: it is Vapi's own URL",
        one_of("relay", "direct"),
    )

    @property
    def on_loopback(self) -> bool:
        """True if nobody but programs on this machine reaches Earshot: it listens on loopback, and no other host or proxy is named."""
        try:
            loopback = ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            loopback = self.host.lower() == "localhost"
        return loopback and not self.allowed_hosts - LOOPBACK_HOSTS - {self.host.lower()} and not self.trusted_proxies

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials that are absent while others are set; empty on the demo line and when all are set."""
        values = dict(zip(CREDENTIALS, (self.api_key, self.assistant_id, self.phone_number_id), strict=True))
        absent = tuple(name for name, value in values.items() if not value)
        return () if self.demo else absent

    @property
    def has_login(self) -> bool:
        """True if the page asks who is there: for the password, for a name and a password, or by the identity provider."""
        return bool(self.password or self.people or self.oidc_issuer)

    @property
    def traces(self) -> str:
        """How traces are exported: one of `EXPORTERS`, or empty if they are not."""
        exporter = self.otel_exporter or ("otlp" if self.otel_endpoint else "none")
        return "" if exporter == "none" or self.otel_disabled == "true" else exporter

    @property
    def limits(self) -> Limits:
        """The caps on calls."""
        return Limits(per_hour=self.calls_per_hour, per_day=self.calls_per_day, at_once=self.concurrent_calls)

    @property
    def demo(self) -> bool:
        """True if calls go to the demo line: only when no Vapi credential is set at all, so that a typo never fakes a call."""
        return not (self.api_key or self.assistant_id or self.phone_number_id or self.public_key)

    @property
    def mode(self) -> str:
        return "demo" if self.demo else "vapi"


TABLE = variables_of(Settings)
"""The environment variable of each field of `Settings`."""


def read_settings(
    environ: Mapping[str, str] | None = None, dotenv: str | None = ".env", *, checks: Iterable[Callable[[Settings], object]] = ()
) -> Settings:
    """Settings from the environment, which wins, and from the file `dotenv` where it exists. An empty variable counts as absent.

    `checks` raise SettingsError for settings that they refuse. Raises one SettingsError with every problem of parsing and checks.
    """
    texts: dict[str, str | None] = dict(dotenv_values(dotenv)) if dotenv is not None else {}
    texts |= os.environ if environ is None else environ
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field, variable in TABLE.items():
        if text := (texts.get(variable.name) or "").strip():
            try:
                values[field] = variable.parse(text)
            except ValueError as error:
                problems.append(f"{variable.name} {error}")
    settings = Settings(**values)
    if settings.demo:
        settings = replace(settings, **{field: variable.demo_default for field, variable in TABLE.items() if field not in values})
    settings = replace(settings, allowed_hosts=settings.allowed_hosts | _served_name(settings.host))
    for check in checks:
        try:
            check(settings)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    return settings


def _served_name(host: str) -> frozenset[str]:
    """The name of the address served on, as a `Host` header has it without its port; none for an address that stands for all."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return frozenset({host.lower()})
    if address.is_unspecified:
        return frozenset()
    return frozenset({f"[{address}]" if address.version == 6 else str(address)})


if __name__ == "__main__":
    print(markdown_table(TABLE.values()))  # noqa: T201
