"""A server that behaves like Vapi, on a loopback port: everything can be tried without an account, and no phone rings."""

from services.demo_line.server import LINES, DemoLine

__all__ = ["LINES", "DemoLine"]
