"""The content security policy of every answer, and the nonce with which our own inline scripts run."""

import secrets
from collections.abc import MutableMapping
from typing import Any

NONCE = "csp_nonce"
"""Key of a request's scope."""

# NiceGUI needs 'unsafe-eval' (it evaluates what the server sends, and Vue compiles templates) and inline styles.
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def content_policy(scope: MutableMapping[str, Any]) -> str:
    """The policy of the answer to a request. It gives the request its nonce, a new one each time: scripts without it do not run."""
    scope[NONCE] = secrets.token_urlsafe(16)
    return _POLICY.format(scope[NONCE])


def with_nonce(html: str, scope: MutableMapping[str, Any]) -> str:
    """`html`, which must be our own, with the request's nonce in each script."""
    return html.replace("<script", f'<script nonce="{scope[NONCE]}"')
