"""Plain HTML elements, of which the page is built instead of Material components."""

from typing import Any

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """An element with a text. Markup in the text is shown, never run."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **props: Any) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        set_props(self, **props)

    def show(self, text: str) -> None:
        """Shows `text`; hides the element if it is empty."""
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
    """Sets props by value, so that no value is parsed as code. `aria_label` sets `aria-label`; None removes a prop."""
    for name, value in props.items():
        key = name.rstrip("_").replace("_", "-")
        if value is None:
            element.props.pop(key, None)
        elif element.props.get(key) != value:
            element.props[key] = value
