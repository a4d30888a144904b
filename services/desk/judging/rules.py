"""The owner's rules. They are in the journal, common to all processes, and copied here."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from services.dialling.journal_states import FollowedState, States
from services.domain.client import Client, Scope
from services.domain.errors import RuleNotFound
from services.domain.permissions import require
from services.domain.rule import MOST_RULES, Rule, dumped, loaded, too_many

STATE = "rules"
"""The name of the state in the journal."""


class Rules(FollowedState):
    """`note` writes the audit, which says who changed which rule.

    `changed` is emitted when any process adds, changes or deletes a rule.
    """

    def __init__(
        self,
        journal: States,
        note: Callable[..., "asyncio.Task[None]"],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(journal, STATE)
        self.now = now
        self._note = note
        self._rules: dict[str, Rule] = {}
        self._on: tuple[Rule, ...] = ()

    def _read(self, value: str) -> None:
        self._rules = loaded(value)
        self._on = tuple(rule for rule in self._rules.values() if rule.on)

    def all(self) -> list[Rule]:
        """Oldest first."""
        return list(self._rules.values())

    @property
    def on(self) -> tuple[Rule, ...]:
        """Those that are switched on."""
        return self._on

    async def add(self, make: Callable[[str], Rule], client: Client) -> Rule:
        """Adds the rule that `make` returns for a new id. Raises RequestError if there are too many, Forbidden, JournalError."""
        require(client, Scope.MANAGE)
        rule = make(secrets.token_hex(4))

        def change(value: str) -> str:
            known = loaded(value)
            if len(known) >= MOST_RULES:
                raise too_many()
            return dumped([*known.values(), rule])

        await self._change_state(change)
        await self._note(client, "add-rule", outcome="done", detail=rule.id)
        return rule

    async def alter(self, rule_id: str, change: Callable[[Rule], Rule], client: Client) -> Rule:
        """Replaces a rule by what `change` makes of it. Raises RuleNotFound, Forbidden, what `change` raises, JournalError."""
        require(client, Scope.MANAGE)

        def changed(value: str) -> str:
            known = loaded(value)
            if rule_id not in known:
                raise RuleNotFound
            known[rule_id] = change(known[rule_id])
            return dumped(known.values())

        value = await self._change_state(changed)
        await self._note(client, "change-rule", outcome="done", detail=rule_id)
        return loaded(value)[rule_id]

    async def remove(self, rule_id: str, client: Client) -> None:
        """Deletes a rule. The alerts that it gave stay with their calls. Raises RuleNotFound, Forbidden,
        JournalError."""
        require(client, Scope.MANAGE)

        def changed(value: str) -> str:
            known = loaded(value)
            if known.pop(rule_id, None) is None:
                raise RuleNotFound
            return dumped(known.values())

        await self._change_state(changed)
        await self._note(client, "delete-rule", outcome="done", detail=rule_id)
