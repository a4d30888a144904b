"""The owner's rules. They are in the journal, common to all processes, and copied here."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from services.dialling.journal_states import States
from services.domain.client import Client, Scope
from services.domain.errors import RuleNotFound
from services.domain.permissions import require
from services.domain.rule import MOST_RULES, Rule, dumped, loaded, too_many
from services.support.signals import Signal

STATE = "rules"
"""The name of the state in the journal."""


class Rules:
    """`note` writes the audit, which says who changed which rule.

    `changed` tells that a rule was added, changed or deleted, in whichever process.
    """

    def __init__(
        self,
        journal: States,
        note: Callable[..., "asyncio.Task[None]"],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.changed: Signal[None] = Signal()
        self.now = now
        self._journal = journal
        self._note = note
        self._rules: dict[str, Rule] = {}
        self._on: tuple[Rule, ...] = ()
        self._revision = -1

    async def load(self) -> None:
        """Reads the rules. Raises JournalError."""
        self.follow(*await self._journal.state(STATE))

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's rules, unless something newer is known."""
        if revision > self._revision:
            self._revision = revision
            self._rules = loaded(value)
            self._on = tuple(rule for rule in self._rules.values() if rule.on)
            self.changed.emit(None)

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

        self.follow(*await self._journal.change_state(STATE, change))
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

        value, revision = await self._journal.change_state(STATE, changed)
        self.follow(value, revision)
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

        self.follow(*await self._journal.change_state(STATE, changed))
        await self._note(client, "delete-rule", outcome="done", detail=rule_id)
