"""Finds the variables that an assistant's texts ask for, such as `{{name}}` (LiquidJS, as `variableValues` of OpenAPI describes it)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from services.vapi import values

MOST = 30
"""Variables of one assistant that are offered as fields."""
_LONGEST = 64  # characters of a name
_MOST_TEXT = 200_000  # characters of a text that are searched
_MOST_MESSAGES = 50

_OUTPUT = re.compile(r"\{\{-?[ \t]{0,8}([A-Za-z_]\w*)[ \t]{0,8}(?=[|}-])")
"""A plain name. `{{ customer.name }}` and other paths are objects that Vapi or a program fills."""
_LOCAL = re.compile(r"\{%-?[ \t]{0,8}(?:assign|capture|for|increment|decrement)[ \t]{1,8}([A-Za-z_]\w*)")
_VAPIS_OWN = frozenset({"now", "date", "time", "month", "day", "year", "customer", "transport", "phoneNumber", "call", "empty", "blank"})
"""Names that Vapi fills itself (docs.vapi.ai, "Variables"), and words of the language."""


def variables_of(assistant: dict[str, Any]) -> tuple[str, ...]:
    """The names that somebody has to fill, in the order of their appearance. Never raises."""
    texts = list(_texts(assistant))
    local = {name for text in texts for name in _LOCAL.findall(text)}
    named = (name for text in texts for name in _OUTPUT.findall(text))
    return tuple(dict.fromkeys(name for name in named if name not in local and name not in _VAPIS_OWN and len(name) <= _LONGEST))[:MOST]


def _texts(assistant: dict[str, Any]) -> Iterator[str]:
    """What the assistant says first, its prompt, and what else it may say."""
    model = values.table(assistant.get("model"))
    said: Iterable[Any] = (assistant.get(name) for name in ("voicemailMessage", "endCallMessage"))
    prompts = (values.table(message).get("content") for message in values.rows(model.get("messages"), most=_MOST_MESSAGES))
    for text in (assistant.get("firstMessage"), *prompts, model.get("systemPrompt"), *said):
        if isinstance(text, str):
            yield text[:_MOST_TEXT]
