"""Plain HTML elements with a text that can change: what the page is built of, instead of Material's components."""

from typing import Any

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """An element whose text is text: markup in it is shown, never run."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **props: Any) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        set_props(self, **props)

    def show(self, text: str) -> None:
        """Shows `text`, or nothing at all where it is empty."""
        if text != self.text:
            self.set_text(text)
        self.set_visibility(bool(text))


class Box(Element):
    """An element that holds others."""

    def __init__(self, tag: str = "div", classes: str = "", **props: Any) -> None:
        super().__init__(tag)
        self.classes(classes)
        set_props(self, **props)


def set_props(element: Element, **props: Any) -> None:
    """Sets props by value, so that nothing in a value is taken for code; `aria_label` is `aria-label`. None takes a prop away."""
    for name, value in props.items():
        key = name.rstrip("_").replace("_", "-")
        if value is None:
            element.props.pop(key, None)
        elif element.props.get(key) != value:
            element.props[key] = value
