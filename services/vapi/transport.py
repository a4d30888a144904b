"""The HTTP client below the SDK's core: aiohttp, behind the one method of `httpx.AsyncClient` that the core's `stream` calls.

httpx between the two took a tenth of the time of placing a call.
"""

import os
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx

_KEEP_ALIVE_S = 5.0  # for an unused connection: a server that has just closed it would leave a POST without an answer


class Client:
    """Sends requests once, follows no redirect, and has no time limit of its own. With `trust_env`, the proxies and certificates of the
    environment apply.
    """

    def __init__(self, *, trust_env: bool) -> None:
        self._proxies = getproxies() if trust_env else {}
        environment = os.environ if trust_env else {}
        self._certificates = _certificates(environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR"))
        self._session: aiohttp.ClientSession | None = None

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | Sequence[tuple[str, str]],
        content: bytes | None = None,
        params: Sequence[tuple[str, Any]] | None = None,
        **_unused: Any,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The response, whose connection is free again after the block, however much of it was read. Raises aiohttp's errors.

        The core also passes what only other kinds of requests have, such as `files`, and a timeout.
        """
        if self._session is None:  # made here because it needs the running loop
            connector = aiohttp.TCPConnector(ssl=self._certificates, keepalive_timeout=_KEEP_ALIVE_S)
            # aiohttp's own `trust_env` would also send what ~/.netrc has for a host.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)
            )
        return self._session.request(
            method,
            url,
            params=params,
            data=content,
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy(url) if self._proxies else None,
        )

    def _proxy(self, url: str) -> str | None:
        target = urlsplit(url)
        if proxy_bypass(target.hostname or ""):
            return None
        proxy = self._proxies.get(target.scheme) or self._proxies.get("all")
        return proxy if not proxy or "://" in proxy else f"http://{proxy}"

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


@cache
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names, else certifi's. Loaded once, because it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=bool(file or folder))
