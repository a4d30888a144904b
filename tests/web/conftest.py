"""The listen stream's stand-in, for the socket that passes it on."""

from tests.listening.conftest import line, stand_in

__all__ = ["line", "stand_in"]
