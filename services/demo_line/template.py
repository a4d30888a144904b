"""Fills in what the assistants' texts ask for: the part of LiquidJS that prompts mostly use."""

import re
from collections.abc import Mapping
from typing import Any

_OUTPUT = re.compile(r"\{\{-?\s*([\w.]+)\s*(?:\|\s*default:\s*\"([^\"]*)\"\s*)?-?\}\}")


def fill_in(text: str, variables: Mapping[str, Any]) -> str:
    """`{{ name }}`, `{{ customer.name }}` and `{{ name | default: "there" }}`; a variable without a value leaves nothing."""

    def value(found: re.Match[str]) -> str:
        known: Any = variables
        for part in found[1].split("."):
            known = known.get(part) if isinstance(known, Mapping) else None
        return str(found[2] or "") if known in (None, "") else str(known)

    return _OUTPUT.sub(value, text)
