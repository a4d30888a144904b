"""Who speaks in a call, and what they say of their own accord."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.demo_line.template import fill_in
from services.demo_line.validation import overrides_of

Body = dict[str, Any]


class Cast:
    """`assistants` speak in their order; the order's overrides apply to all of them. `names` grows by those that take over."""

    def __init__(self, order: Body, assistants: Sequence[Body]) -> None:
        self._overrides = overrides_of(order)
        given = self._overrides.get("variableValues")
        self._variables: Mapping[str, Any] = {"customer": order.get("customer", {}), **(given if isinstance(given, dict) else {})}
        self._first = assistants[0] if assistants else {}
        self.names = [name for one in assistants if isinstance(name := one.get("name"), str)]

    @property
    def settings(self) -> Body:
        """Of the assistant that begins, as the order changes it."""
        return {**self._first, **self._overrides}

    @property
    def first_message(self) -> str:
        return self._text(self.settings.get("firstMessage"))

    @property
    def recorded(self) -> bool:
        plan = self.settings.get("artifactPlan")
        return not isinstance(plan, dict) or plan.get("recordingEnabled") is not False

    def said(self, name: str) -> str:
        """Another text of the assistant that begins, such as `voicemailMessage`."""
        return self._text(self.settings.get(name))

    def takes_over(self, assistant: Body) -> str:
        """Another assistant speaks from now on. Returns its first message."""
        self.names.append(str(assistant.get("name") or ""))
        return self._text(assistant.get("firstMessage"))

    def _text(self, text: object) -> str:
        return fill_in(text, self._variables) if isinstance(text, str) else ""
