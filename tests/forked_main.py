"""Imported by the process that `tests.forks` forks: the app, and what it imports only when it is needed but is needed often."""

import gc

import main as main

gc.collect()
gc.freeze()  # a fork that looked through these objects would copy their memory
