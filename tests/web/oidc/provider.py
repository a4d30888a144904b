"""The real provider of `provider.mjs` as a process, and a person who signs in there without a browser."""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest

from tests.node import node_path
from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import ROOT

SECRET = "a secret with a colon: and a plus+"
PEOPLE = {
    "anna": {"name": "Anna Berg", "roles": ["everybody", "earshot-owners"]},
    "ben": {"name": "Ben", "roles": ["everybody"]},
    "kim": {"name": "Kim", "roles": []},
    "eve": {"name": "Eve", "email": "owner@example.com", "email_verified": False},
}
ROLES = "owner=earshot-owners, listener=everybody"


def provider_environ(issuer: str) -> dict[str, str]:
    """The settings of an Earshot that signs in there."""
    return {
        "EARSHOT_OIDC_ISSUER": issuer,
        "EARSHOT_OIDC_CLIENT_ID": "earshot",
        "EARSHOT_OIDC_CLIENT_SECRET": SECRET,
        "EARSHOT_OIDC_SCOPES": "openid profile email roles",
        "EARSHOT_OIDC_ROLES": ROLES,
    }


@contextmanager
def provider(*bases: str, port: int | None = None) -> Iterator[str]:
    """The issuer, where Earshot may be at any of the addresses `bases`."""
    if not (ROOT / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed: `python -m tests.needs test` installs it or says how")
    port = port or free_port()
    client = {
        "client_id": "earshot",
        "client_secret": SECRET,
        "redirect_uris": [f"{base}/login/callback" for base in bases],
        "post_logout_redirect_uris": [f"{base}/login" for base in bases],
    }
    config = json.dumps({"port": port, "clients": [client], "people": PEOPLE})
    with _started([node_path(), str(Path(__file__).parent / "provider.mjs"), config], f"http://localhost:{port}") as issuer:
        yield issuer


@contextmanager
def _started(command: Sequence[str], issuer: str) -> Iterator[str]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + HANG_S
        while True:
            assert process.poll() is None, "the provider does not start"
            try:
                urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=HANG_S).close()
                break
            except OSError:
                assert time.monotonic() < give_up
                time.sleep(0.05)
        yield issuer
    finally:
        process.kill()
        process.wait()


async def to_callback(browser: aiohttp.ClientSession, start: str, person: str) -> str:
    """Signs `person` in at the provider, and returns the address that it leads back to, which has not been visited."""
    url = start
    for _ in range(12):
        async with browser.get(url, allow_redirects=False) as answer:
            text = await answer.text()
        if answer.status == 200:  # a form of the provider: the login, then what Earshot may know
            form = re.search(r'action="([^"]+)"', text)
            assert form, text
            fields = {"prompt": "login", "login": person, "password": "any"} if 'name="login"' in text else {"prompt": "consent"}
            async with browser.post(urljoin(url, form[1]), data=fields, allow_redirects=False) as answer:
                pass
        assert answer.status in (302, 303), text
        url = urljoin(url, answer.headers["Location"])
        if "/login/callback" in url:
            return url
    raise AssertionError("the provider leads nowhere")
