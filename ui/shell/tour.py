"""The Python side of ui/shell/tour.js: a tour of the page that can be skipped."""

from nicegui.element import Element

from ui.kit.markup import set_props
from ui.words import say

_STEPS = {
    "number": "[data-testid=dial-number]",
    "call": "[data-testid=dial-call]",
    "stage": ".stage",
    "log": "[data-testid=call-log]",
    "safety": "[data-testid=safety]",
    "palette": ".find",
}


class Tour(Element, component="tour.js"):
    """Hidden until it is started."""

    def __init__(self) -> None:
        super().__init__()
        steps = [{"on": selector, "text": say(f"tour_{name}")} for name, selector in _STEPS.items()]
        set_props(self, steps=steps, words={name: say(f"tour_{name}") for name in ("next", "skip", "done")})
