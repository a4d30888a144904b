"""Imported by the process that `tests.forks` forks: the app, what it imports only when it is needed but is needed often, and what makes its
start cheaper, as in the tests' own process. A `new_python` has nothing of it.
"""

import gc
import os
from importlib import import_module

import main as main
from services.vapi import transport
from tests import cheap_hashes, late_routes

for name in ("sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio", "asyncpg"):
    import_module(name)
late_routes.delay()  # with all routes made at its start, an app takes 0.6 s of processor time to begin to serve, not 0.2 s
cheap_hashes.share()
for variables in (os.environ, dict[str, str]()):
    transport._certificates(variables.get("SSL_CERT_FILE"), variables.get("SSL_CERT_DIR"))

gc.collect()
gc.freeze()  # a fork that looked through these objects would copy their memory
