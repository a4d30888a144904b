"""Verifies webhooks that Vapi signs with an HMAC credential (OpenAPI `HMACAuthenticationPlan`). Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.datastructures import Headers

_SIGNATURES = ("x-signature", "x-vapi-signature")
_TIMESTAMPS = ("x-timestamp", "x-vapi-timestamp")
_ALGORITHMS = {20: hashlib.sha1, 32: hashlib.sha256, 64: hashlib.sha512}
"""Those that Vapi offers, by the size of their digest in bytes. HMAC is not affected by what has been found about SHA-1."""
TOLERANCE_S = 300
"""How far the timestamp of a signature may be from now: a webhook that somebody recorded is worthless afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSignature:
    """The key and the payload format of Vapi's HMAC credential. Algorithm, encoding and prefix are seen from the signature itself."""

    key: str = field(repr=False)
    payload: str

    @staticmethod
    def carried_by(headers: Headers) -> bool:
        """True if a request says that it is signed."""
        return any(headers.get(name) for name in _SIGNATURES)

    def verify(self, headers: Headers, body: bytes, *, now: datetime | None = None) -> bool:
        """True if one of the signatures in `headers` is that of `body`, and its timestamp, if one is signed, is of the last minutes."""
        timestamp = next((headers[name] for name in _TIMESTAMPS if headers.get(name)), "")
        if "{timestamp}" in self.payload and not _fresh(timestamp, now or datetime.now(UTC)):
            return False
        signed = self._signed(timestamp, body)
        shown = [digest for name in _SIGNATURES for digest in _digests(headers.get(name, ""))]
        return any(hmac.compare_digest(hmac.digest(self.key.encode(), signed, _ALGORITHMS[len(digest)]), digest) for digest in shown)

    def _signed(self, timestamp: str, body: bytes) -> bytes:
        values = {"{timestamp}": timestamp.encode(), "{method}": b"POST", "{body}": body}
        parts = re.split(r"(\{(?:timestamp|method|body)\})", self.payload)
        return b"".join(values.get(part, part.encode()) for part in parts)


def _digests(signature: str) -> Iterator[bytes]:
    """What a signature header may mean: hex or base64, as it is or behind a prefix such as `sha256=` or `v1,`."""
    for text in {signature.strip(), signature.partition("=")[2].strip(), signature.partition(",")[2].strip()}:
        for decode in (bytes.fromhex, _from_base64):
            try:
                digest = decode(text)
            except (ValueError, binascii.Error):
                continue
            if len(digest) in _ALGORITHMS:
                yield digest


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _fresh(timestamp: str, now: datetime) -> bool:
    """True for a time within the tolerance: seconds or milliseconds since 1970, or ISO 8601."""
    try:
        if re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,9})?", timestamp, re.ASCII):
            seconds = float(timestamp)
            time = seconds / 1000 if seconds > 1e11 else seconds
        else:
            found = datetime.fromisoformat(timestamp)
            time = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return False
    return abs(time - now.timestamp()) <= TOLERANCE_S
