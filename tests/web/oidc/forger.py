"""A provider that answers wrongly in one way at a time: what a real one never does, Earshot must not accept either."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.ports import free_port

CLIENT, SECRET = "earshot", "the-shared-secret"

Change = Callable[[dict[str, Any]], None]


@cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Forger:
    """`claims` and `description` change what it says. `key` and `algorithm` sign the ID token; `person` changes the UserInfo answer."""

    def __init__(self) -> None:
        self.issuer = f"http://localhost:{free_port()}"
        self.claims: Change = lambda _: None
        self.description: Change = lambda _: None
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.key: Any = _key()
        self.nonce = ""
        self.person: dict[str, Any] = {"sub": "anna", "name": "Anna", "roles": ["staff"]}
        self.in_token = True
        """False: name and roles are at the UserInfo endpoint alone."""
        self.token_answer: web.Response | None = None
        self.asked: list[dict[str, str]] = []

    def by_a_stranger(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})

    def by_the_secret(self) -> None:
        self.header, self.key = {"alg": "HS256"}, OctKey.import_key(SECRET)
        self.description = lambda found: found.update(id_token_signing_alg_values_supported=["HS256", "RS256", "none"])

    def by_nobody(self) -> None:
        self.header, self.key = {"alg": "none"}, None
        self.description = lambda found: found.update(id_token_signing_alg_values_supported=["none"])

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "anna", "iat": now, "exp": now + 300, "nonce": self.nonce}
        claims |= self.person if self.in_token else {}
        self.claims(claims)
        if self.key is None:
            return _unsigned(claims)
        return jwt.encode(self.header, claims, self.key, algorithms=["RS256", "HS256"])

    async def discovery(self, _: web.Request) -> web.Response:
        described = {"issuer": self.issuer}
        for name, path in (
            ("authorization_endpoint", "/auth"),
            ("token_endpoint", "/token"),
            ("jwks_uri", "/jwks"),
            ("userinfo_endpoint", "/me"),
        ):
            described[name] = self.issuer + path
        self.description(described)
        return web.json_response(described)

    async def jwks(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [_key().as_dict(private=False)]})

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        if self.token_answer is not None:
            return self.token_answer
        return web.json_response({"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()})

    async def me(self, _: web.Request) -> web.Response:
        return web.json_response(self.person)


def _unsigned(claims: dict[str, Any]) -> str:
    import base64
    import json

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


@asynccontextmanager
async def forging() -> AsyncIterator[Forger]:
    forger = Forger()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", forger.discovery)
    app.router.add_get("/jwks", forger.jwks)
    app.router.add_get("/me", forger.me)
    app.router.add_post("/token", forger.token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", int(forger.issuer.rpartition(":")[2])).start()
    try:
        yield forger
    finally:
        await runner.cleanup()
