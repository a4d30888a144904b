"""Keyboard shortcuts of the whole page. Their table is in shortcuts.js."""

from nicegui.element import Element


class Shortcuts(Element, component="shortcuts.js"):
    """Acts on keys that are pressed outside of fields."""
