"""httpx over aiohttp as the SDK uses it, with two fixes: connections are released, and URLs stay out of the log."""

import logging
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from httpx_aiohttp.transport import AiohttpResponseStream


class Client(HttpxAiohttpClient):
    """`HttpxAiohttpClient` whose transports, through a proxy or not, are `_Transport`."""

    def _init_transport(self, *_: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return _Transport(**settings)

    def _init_proxy_transport(self, proxy: httpx.Proxy, *_: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return _Transport(proxy=proxy, **settings)


class _Transport(AiohttpTransport):
    """httpx_aiohttp 0.1.8 passes its stream as `content`, which httpx wraps in a stream whose `aclose` does nothing. A response that is
    not read completely would keep its connection until garbage collection (httpx-aiohttp issue 4)."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        stream = getattr(response.stream, "_stream", None)
        if isinstance(stream, AiohttpResponseStream):
            response.stream = stream
        return response


class _HostOnly(logging.Filter):
    """Reduces URLs to their host: httpx logs every URL at INFO, and a control URL gives control of the call."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.host if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx").addFilter(_HostOnly())
