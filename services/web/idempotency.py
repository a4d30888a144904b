"""Reads `Idempotency-Key` and fingerprints requests (draft-ietf-httpapi-idempotency-key-header)."""

import hashlib
import json
import re

from fastapi import Request

from services.desk.placing.placing import Key
from services.domain.errors import FieldError, RequestError
from services.web.requests import CallRequest

_LONGEST = 255


def read_key(request: Request, body: CallRequest) -> Key | None:
    """The request's key with its fingerprint, or None. Raises RequestError for an invalid key.

    A quoted structured string and the same text without quotes are the same key. The fingerprint ignores the order of fields and white
    space.
    """
    values = request.headers.getlist("idempotency-key")
    if not values:
        return None
    text = values[0].strip()
    if text.startswith('"'):
        text = re.sub(r'\\(["\\])', r"\1", text[1:-1]) if re.fullmatch(r'"(?:[ !#-\[\]-~]|\\["\\])*"', text) else ""
    if len(values) > 1 or not re.fullmatch(r"[ -~]+", text) or len(text) > _LONGEST:
        detail = f"Idempotency-Key must be one text of 1 to {_LONGEST} printable ASCII characters."
        raise RequestError(detail, errors=[FieldError("Idempotency-Key", detail)])
    return Key(text=text, fingerprint=fingerprint_of(body))


def fingerprint_of(body: CallRequest) -> str:
    """The same for requests that ask for the same call."""
    canonical = json.dumps(body.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
