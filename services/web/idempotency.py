"""`Idempotency-Key`: what it may look like, and what makes two requests the same (draft-ietf-httpapi-idempotency-key-header)."""

import hashlib
import json
import re

from fastapi import Request

from services.desk.placing import Key
from services.domain.errors import FieldError, RequestError
from services.web.requests import CallRequest

_LONGEST = 255


def read_key(request: Request, wanted: CallRequest) -> Key | None:
    """The request's key with its fingerprint, or None. Raises RequestError for one that can't be used.

    A quoted structured string and the same text bare are the same key. Two requests are the same if they mean the same: the order of
    fields and the space between them don't count.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    text = given[0].strip()
    if text.startswith('"'):
        text = re.sub(r'\\(["\\])', r"\1", text[1:-1]) if re.fullmatch(r'"(?:[ !#-\[\]-~]|\\["\\])*"', text) else ""
    if len(given) > 1 or not re.fullmatch(r"[ -~]+", text) or len(text) > _LONGEST:
        detail = f"Idempotency-Key must be one text of 1 to {_LONGEST} printable ASCII characters."
        raise RequestError(detail, errors=[FieldError("Idempotency-Key", detail)])
    meaning = json.dumps(wanted.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return Key(text=text, fingerprint=hashlib.sha256(meaning.encode()).hexdigest())
