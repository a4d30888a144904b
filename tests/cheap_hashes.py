"""Passwords are hashed with next to no work: at full strength each takes a fifth of a second of processor time, most of what tests with
people take.

Tests that are about the hashing, or about what happens meanwhile, use the fixture `full_hashing`.
"""

import sys
from functools import cache
from typing import Any


def share() -> None:
    """From now on, if the tests of this run have imported the hashing. May be called again."""
    if module := sys.modules.get("services.support.passwords"):
        vars(module)["_hasher"] = _hasher


@cache
def _hasher() -> Any:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])
