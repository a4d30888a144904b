"""Judges the web addresses that Vapi names, before one of them is opened. Pure."""

import re
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from services.support.internet import meant, on_internet

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_LONGEST_HOST, _LONGEST_LABEL = 253, 63  # RFC 1035; a longer or an empty label makes Python's resolver raise UnicodeError


def parts_of(url: Any) -> SplitResult | None:
    """The parts of a URL with a host and a valid port; None for anything else, and for what two parsers could read differently: then one
    host would be checked and another one opened.
    """
    if not isinstance(url, str) or not re.fullmatch(r"[!-\[\]-~]{1,4000}", url):  # without the backslash, which some read as a slash
        return None
    parts = _split(url)
    if parts is None or "@" in parts.netloc:
        return None
    host = parts.hostname or ""
    labels = [host] if ":" in host else host.split(".")
    return parts if len(host) <= _LONGEST_HOST and all(1 <= len(label) <= _LONGEST_LABEL for label in labels) else None


def may_open(url: str, *, scheme: Literal["wss", "https"], base_url: str) -> bool:
    """True if a listen or control URL may be opened: on `*.vapi.ai` at port 443, or on the base URL's host and port; unencrypted only if
    the base URL is.

    Hosts of the EU region, `*.eu.vapi.ai`, are opened only if the base URL is in it, since each region has keys of its own.
    """
    parts, base = parts_of(url), _split(base_url)
    if parts is None or base is None:
        return False
    host, own = parts.hostname or "", base.hostname or ""
    if host == own:
        return _port(parts) == _port(base) and (parts.scheme == scheme or (base.scheme == "http" and parts.scheme == scheme[:-1]))
    if parts.scheme != scheme or _port(parts) != 443 or not re.fullmatch(r"([a-z0-9-]+\.)+vapi\.ai", host):
        return False
    return not _in_eu(host) or _in_eu(own)


def may_fetch(url: str, *, base_url: str) -> bool:
    """True for https outside of this network, and for the base URL's own host and port as its scheme says."""
    parts, base = parts_of(url), _split(base_url)
    if parts is None or base is None:
        return False
    if (parts.scheme, parts.hostname, parts.port) == (base.scheme, base.hostname, base.port):
        return True
    return parts.scheme == "https" and _is_public(parts.hostname or "")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _in_eu(host: str) -> bool:
    return f".{host}".endswith(".eu.vapi.ai")


def _is_public(host: str) -> bool:
    try:
        address = meant(host)
    except ValueError:
        # A name that ends in a number is an IPv4 address to resolvers: `127.1`, `0x7f.1`.
        numeric = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2])
        return "." in host and not numeric and not host.endswith((".localhost", ".local", ".internal"))
    return on_internet(address)
