"""Answers of a provider that nobody may be signed in by."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from services.domain.role_claims import has_claim
from services.web.access.oidc.failures import Reason, SignInFailed
from services.web.access.oidc.pending import LASTS_S, Pending, PendingSignIns
from services.web.access.oidc.provider import Provider, SignedIn
from tests.web.oidc.forger import CLIENT, SECRET, Forger, forging

BEGUN = PendingSignIns(b"key").begin("/", "http://127.0.0.1/login/callback")


@asynccontextmanager
async def provider_at(issuer: str, clock: Callable[[], float] = time.monotonic) -> AsyncIterator[Provider]:
    provider = Provider(
        issuer=issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        scopes="openid",
        complete=lambda claims: has_claim(claims, "roles"),
        clock=clock,
    )
    try:
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture
async def forger() -> AsyncIterator[Forger]:
    async with forging() as made:
        made.nonce = BEGUN.nonce
        yield made


async def signed_in(forger: Forger, *, iss: str = "") -> SignedIn:
    async with provider_at(forger.issuer) as provider:
        return await provider.signed_in("code", BEGUN, iss)


async def refused(forger: Forger, **more: str) -> SignInFailed:
    with pytest.raises(SignInFailed) as failure:
        await signed_in(forger, **more)
    assert SECRET not in failure.value.detail
    assert forger.nonce not in failure.value.detail
    return failure.value


async def test_a_true_answer_is_believed(forger: Forger) -> None:
    found = await signed_in(forger)
    assert (found.subject, found.claims["name"], found.claims["roles"]) == (f"{forger.issuer} anna", "Anna", ["staff"])
    [asked] = forger.asked
    assert (asked["code_verifier"], asked["redirect_uri"], asked["grant_type"]) == (
        BEGUN.verifier,
        BEGUN.redirect_uri,
        "authorization_code",
    )


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.pop(name)


def _with(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(changes)


@pytest.mark.parametrize(
    "change",
    [
        _with(nonce="of another sign-in"),
        _without("nonce"),
        _with(iss="https://evil.example"),
        _without("iss"),
        _with(aud="another-client"),
        _with(aud=["another-client", CLIENT], azp="another-client"),
        _with(aud=[CLIENT, "another-client"]),
        _with(aud="another-client", azp=CLIENT),
        _without("aud"),
        _with(exp=int(time.time()) - 600),
        _without("exp"),
        _with(iat=int(time.time()) + 3600),
        _with(nbf=int(time.time()) + 3600),
        _with(sub=""),
        _without("sub"),
        _with(sub=7),
        _with(at_hash="wrong"),
    ],
)
async def test_an_id_token_with_a_wrong_claim_is_refused(forger: Forger, change: Callable[[dict[str, Any]], None]) -> None:
    forger.claims = change
    assert (await refused(forger)).reason is Reason.UNVERIFIED


@pytest.mark.parametrize("forge", [Forger.by_a_stranger, Forger.by_the_secret, Forger.by_nobody])
async def test_an_id_token_that_the_provider_has_not_signed_is_refused(forger: Forger, forge: Callable[[Forger], None]) -> None:
    forge(forger)
    assert (await refused(forger)).reason is Reason.UNVERIFIED


async def test_an_unknown_key_is_looked_for_once_in_a_while(forger: Forger) -> None:
    forger.header = {"alg": "RS256", "kid": "two"}
    assert (await refused(forger)).reason is Reason.UNVERIFIED


async def test_what_is_missing_in_the_id_token_is_asked_for_but_never_of_somebody_else(forger: Forger) -> None:
    forger.in_token = False
    assert (await signed_in(forger)).claims["roles"] == ["staff"]
    forger.person = forger.person | {"sub": "eve"}
    assert (await refused(forger)).reason is Reason.UNVERIFIED


async def test_an_answer_of_another_issuer_is_refused(forger: Forger) -> None:
    assert (await refused(forger, iss="https://evil.example")).reason is Reason.UNVERIFIED
    assert forger.asked == []
    forger.description = _with(authorization_response_iss_parameter_supported=True)
    assert (await refused(forger)).reason is Reason.UNVERIFIED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_with(issuer="https://evil.example"), "calls itself 'https://evil.example'"),
        (_without("issuer"), "calls itself None"),
        (_with(token_endpoint="http://evil.example/token"), "token_endpoint is not https"),
        (_with(token_endpoint=None), "names no token_endpoint"),
        (_with(jwks_uri="http://evil.example/jwks"), "jwks_uri is not https"),
        (_with(jwks_uri="file:///etc/passwd"), "jwks_uri is not https"),
    ],
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    forger: Forger, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    forger.description = change
    failure = await refused(forger)
    assert (failure.reason, why in failure.detail) == (Reason.DOWN, True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (web.json_response({"error": "invalid_grant", "error_description": "used"}, status=400), Reason.UNVERIFIED),
        (web.json_response({"error": "invalid_client"}, status=401), Reason.DOWN),
        (web.json_response({"access_token": "only"}), Reason.UNVERIFIED),
        (web.json_response({"id_token": 7}), Reason.UNVERIFIED),
        (web.json_response({"id_token": "a.b.c"}), Reason.UNVERIFIED),
        (web.json_response({"id_token": "é"}), Reason.UNVERIFIED),
        (web.json_response(["no", "object"]), Reason.DOWN),
        (web.Response(text="<html>"), Reason.DOWN),
        (web.Response(text="[" * 100_000), Reason.DOWN),
        (web.HTTPFound("https://evil.example/token"), Reason.DOWN),
    ],
)
async def test_an_unusable_token_response_is_a_plain_failure(forger: Forger, answer: web.Response, reason: Reason) -> None:
    forger.token_answer = answer
    assert (await refused(forger)).reason is reason


async def test_no_more_than_a_megabyte_of_an_answer_is_read(forger: Forger) -> None:
    forger.token_answer = web.Response(body=b" " * 1_000_001)
    assert "larger than 1000000 bytes" in (await refused(forger)).detail


def test_a_sign_in_ends_after_ten_minutes_and_can_t_be_altered() -> None:
    now = 1000.0
    pending = PendingSignIns(b"key", now=lambda: now)
    begun = pending.begin("/?to=1", "https://desk.example/login/callback")
    sealed = pending.sealed(begun)
    assert pending.opened(sealed, begun.state) == begun
    altered = pending.sealed(Pending(**{**_fields(begun), "next": "//evil.example"})).partition(".")[0]
    for cookie, state in (
        (sealed, "other"),
        (sealed, ""),
        ("", ""),
        (f"{altered}.{sealed.partition('.')[2]}", begun.state),
        (PendingSignIns(b"other", now=lambda: now).sealed(begun), begun.state),
        ("é.é", begun.state),
        (sealed, "\ud800"),
    ):
        assert pending.opened(cookie, state) is None
    now += LASTS_S
    assert pending.opened(sealed, begun.state) is None


def _fields(pending: Pending) -> dict[str, Any]:
    return {name: getattr(pending, name) for name in Pending.__dataclass_fields__}
