"""Logs when the process has used up its file descriptors: the event loop then closes new connections without a word."""

import asyncio
import errno
import logging
import os
import sys

from services.support.rarely import Rarely

log = logging.getLogger(__name__)

_EVERY_S = 2.0


async def watch_descriptors() -> None:
    """Checks every 2 seconds until cancelled, and logs at most once a minute."""
    rarely = Rarely(60)
    while True:
        if not _one_is_free() and rarely():
            log.error(
                "all %s file descriptors are in use, so new connections are closed: raise the limit (ulimit -n)", descriptor_limit() or ""
            )
        await asyncio.sleep(_EVERY_S)


def _one_is_free() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True


def descriptor_limit() -> int | None:
    """How many descriptors the process may have open; None where nothing limits them."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
