"""The same stand-in and line as the relay's own tests have."""

from tests.listening.conftest import line, stand_in

__all__ = ["line", "stand_in"]
