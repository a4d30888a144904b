"""A stand-in of Vapi on a loopback port, to try everything without an account: a server like the real one, reached through sockets."""

from services.demo_line.server import LINES, DemoLine

__all__ = ["LINES", "DemoLine"]
