"""An OpenID Connect provider: what it says of itself, where people sign in and out, and who has signed in.

Authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207). Requests follow no redirect and end after 10 seconds.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from services.vapi.sdk import is_loopback
from services.vapi.transport import Client
from services.web.access.oidc.failures import Reason, SignInFailed
from services.web.access.oidc.pending import Pending

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_MOST_BYTES = 1_000_000
_FRESH_S = 3600.0  # how long the provider's description and keys are used before they are read again
_NEW_KEYS_EVERY_S = 30.0  # at most, when a token names a key that is not known: anybody can send such a token
_LEEWAY_S = 60
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures with the provider's own key. `none` and those with the shared secret are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The person who signed in, as the provider describes them. `id_token` is the hint for signing out."""

    subject: str
    claims: Mapping[str, Any]
    id_token: str


class Provider:
    """The provider at `issuer`, where Earshot is known as `client_id`. An empty secret stands for a public client.

    Unless the claims of the ID token are `complete`, the UserInfo endpoint is asked for more. All methods raise SignInFailed.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        scopes: str,
        complete: Callable[[Mapping[str, Any]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._complete = complete
        self._clock = clock
        self._http = Client(trust_env=not is_loopback(issuer))
        self._described: dict[str, Any] = {}
        self._described_at = 0.0
        self._keys: dict[str, Any] = {}
        self._keys_at = 0.0

    async def aclose(self) -> None:
        await self._http.aclose()

    async def sign_in_url(self, pending: Pending) -> str:
        """Where the browser goes to sign in."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        url: str = prepare_grant_uri(
            self._endpoint(await self._description(), "authorization_endpoint"),
            client_id=self._client_id,
            response_type="code",
            redirect_uri=pending.redirect_uri,
            scope=self._scopes,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return url

    async def sign_out_url(self, back: str, id_token: str) -> str:
        """Where the browser goes to sign out there too, and then to `back`; empty if the provider has no such place."""
        from authlib.common.urls import add_params_to_uri

        description = await self._description()
        if not description.get("end_session_endpoint"):
            return ""
        hint = [("id_token_hint", id_token)] if id_token else []
        parameters = [*hint, ("client_id", self._client_id), ("post_logout_redirect_uri", back)]
        return str(add_params_to_uri(self._endpoint(description, "end_session_endpoint"), parameters))

    async def signed_in(self, code: str, pending: Pending, issuer: str) -> SignedIn:
        """Exchanges the code of an answer, which names its `issuer` if the provider does that."""
        description = await self._description()
        if issuer != description["issuer"] and (issuer or description.get("authorization_response_iss_parameter_supported")):
            raise SignInFailed(Reason.UNVERIFIED, "the answer names another issuer")
        tokens = await self._tokens(description, code, pending)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise SignInFailed(Reason.UNVERIFIED, "the token response has no ID token: the scopes must include openid")
        claims = await self._verified(description, id_token, access_token, pending.nonce)
        if not self._complete(claims) and isinstance(access_token, str) and description.get("userinfo_endpoint"):
            more = await self._ask("GET", self._endpoint(description, "userinfo_endpoint"), {"Authorization": f"Bearer {access_token}"})
            if more.get("sub") != claims["sub"]:
                raise SignInFailed(Reason.UNVERIFIED, "the UserInfo response is about somebody else")
            claims = more | claims
        return SignedIn(subject=f"{description['issuer']} {claims['sub']}", claims=claims, id_token=id_token)

    async def _tokens(self, description: Mapping[str, Any], code: str, pending: Pending) -> dict[str, Any]:
        from authlib.common.urls import add_params_to_qs
        from authlib.oauth2.auth import ClientAuth

        body = add_params_to_qs(
            "",
            [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", pending.redirect_uri),
                ("code_verifier", pending.verifier),
            ],
        )
        method = self._authentication(description)
        # RFC 6749, 2.3.1: encoded before they are put into the header. Authlib leaves that to its callers.
        names = (self._client_id, self._client_secret)
        client = ClientAuth(*(map(quote, names) if method == "client_secret_basic" else names), auth_method=method)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        url, headers, body = client.prepare("POST", self._endpoint(description, "token_endpoint"), headers, body)
        return await self._ask("POST", url, headers, body.encode())

    def _authentication(self, description: Mapping[str, Any]) -> str:
        if not self._client_secret:
            return "none"
        supported = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"

    async def _verified(self, description: Mapping[str, Any], id_token: str, access_token: object, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, once signature, issuer, audience, times and nonce are right."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        signed = description.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[name for name in _ALGORITHMS if name in signed], strict_check_header=False)

        async def decoded(*, anew: bool = False) -> jwt.Token:
            keys: Any = await self._key_set(description, anew=anew)
            return jwt.decode(id_token, key=KeySet.import_key_set(keys), registry=registry)

        try:
            try:
                token = await decoded()
            except InvalidKeyIdError:
                token = await decoded(anew=True)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": description["issuer"]},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True, "allow_blank": False},
                    "nonce": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._client_id, "access_token": access_token},
            )
            claims.validate(leeway=_LEEWAY_S)
        except JoseError as error:
            raise SignInFailed(Reason.UNVERIFIED, f"the ID token is not valid ({error.error}: {error.description})") from None
        except (ValueError, TypeError, KeyError) as error:
            raise SignInFailed(Reason.UNVERIFIED, f"the ID token or the keys can't be read ({type(error).__name__})") from None
        return dict(claims)

    async def _key_set(self, description: Mapping[str, Any], *, anew: bool) -> dict[str, Any]:
        age = self._clock() - self._keys_at
        if not self._keys or age > (_NEW_KEYS_EVERY_S if anew else _FRESH_S):
            self._keys = await self._ask("GET", self._endpoint(description, "jwks_uri"), {})
            self._keys_at = self._clock()
        return self._keys

    async def _description(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        if not self._described or self._clock() - self._described_at > _FRESH_S:
            found = await self._ask("GET", f"{self._issuer}/.well-known/openid-configuration", {})
            said = found.get("issuer")
            if not isinstance(said, str) or said.rstrip("/") != self._issuer:
                raise SignInFailed(Reason.DOWN, f"EARSHOT_OIDC_ISSUER is {self._issuer}, but the provider there calls itself {said!r:.200}")
            self._described, self._described_at = found, self._clock()
        return self._described

    def _endpoint(self, description: Mapping[str, Any], name: str) -> str:
        url = description.get(name)
        if not isinstance(url, str) or not url.isprintable():
            raise SignInFailed(Reason.DOWN, f"the provider names no {name}")
        if urlsplit(url).scheme != "https" and not (is_loopback(url) and is_loopback(self._issuer)):
            raise SignInFailed(Reason.DOWN, f"the provider's {name} is not https")
        return url

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> dict[str, Any]:
        """The JSON object that the provider answers with."""
        what = f"{method} {urlsplit(url).path}"
        body = bytearray()
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._http.stream(method, url, headers=headers, content=content) as response:
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise SignInFailed(Reason.DOWN, f"the answer to {what} is larger than {_MOST_BYTES} bytes")
            found = json.loads(body)
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise SignInFailed(Reason.DOWN, f"no answer to {what} ({type(error).__name__})") from None
        except (ValueError, RecursionError):
            raise SignInFailed(Reason.DOWN, f"the answer to {what} is no JSON (status {response.status})") from None
        if not isinstance(found, dict) or response.status != 200:
            code = found.get("error") if isinstance(found, dict) else None
            reason = Reason.UNVERIFIED if code in ("invalid_grant", "invalid_request") else Reason.DOWN
            raise SignInFailed(reason, f"{what} was answered with {response.status} ({code!r:.60})")
        return found
