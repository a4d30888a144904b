"""The API tokens that were made on the page. They are in the journal, so that they hold in every process and after a restart."""

import asyncio
import hmac
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from services.dialling.journal_states import FollowedState, States
from services.domain.api_token import MOST_TOKENS, ApiToken, digest_of, dumped, loaded, make_token
from services.domain.client import Client, Scope
from services.domain.errors import RequestError
from services.domain.permissions import require
from services.support.events import set_within

STATE = "api-tokens"
"""The name of the state in the journal."""


class MadeTokens(FollowedState):
    """`note` writes the audit. `taken` is true if another token or a person has a name, `owner` if the person with an id is an owner: the
    tokens of those who are not have ended.

    `changed` is emitted when any process makes or revokes a token.
    """

    def __init__(
        self,
        journal: States,
        note: Callable[..., "asyncio.Task[None]"],
        *,
        taken: Callable[[str], bool] = lambda _name: False,
        owner: Callable[[str], bool] = lambda _person_id: False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(journal, STATE)
        self._note = note
        self._taken = taken
        self._owner = owner
        self._now = now
        self._tokens: dict[str, ApiToken] = {}
        self._any = False
        self._revoked: dict[str, asyncio.Event] = {}

    def __bool__(self) -> bool:
        """True if there are any, also expired ones and those of a newer version, which this one can't read: an API that needs a token must
        not open by itself."""
        return self._any

    def _read(self, value: str) -> None:
        self._any = bool(value)
        self._tokens = loaded(value)
        for token_id in self._revoked.keys() - self._tokens.keys():
            self._revoked.pop(token_id).set()

    def all(self) -> list[ApiToken]:
        """The newest first, expired ones too."""
        return list(reversed(self._tokens.values()))

    def find(self, token: str) -> ApiToken | None:
        """The valid token of this text. Compares all, so that the duration reveals nothing."""
        digest, now, found = digest_of(token), self._now(), None
        for known in self._tokens.values():
            if hmac.compare_digest(bytes.fromhex(known.digest), digest) and self._valid(known, now):
                found = known
        return found

    def lives(self, token_id: str) -> bool:
        """True if the token with this id is neither revoked nor expired, and the person who made it is still an owner."""
        token = self._tokens.get(token_id)
        return token is not None and self._valid(token, self._now())

    def look_at_owners(self) -> None:
        """Ends what was opened with tokens of people who are no longer owners. Call it when people have changed."""
        for token_id in [token_id for token_id in self._revoked if not self.lives(token_id)]:
            self._revoked.pop(token_id).set()

    def _valid(self, token: ApiToken, now: datetime) -> bool:
        return not token.expired(now) and (not token.made_by or self._owner(token.made_by))

    def any_may(self, scope: Scope) -> bool:
        """True if a valid token has this scope."""
        now = self._now()
        return any(scope in token.scopes and self._valid(token, now) for token in self._tokens.values())

    async def over(self, token_id: str) -> None:
        """Returns once the token is revoked, in whichever process, or has expired."""
        if not self.lives(token_id):
            return
        expires_at = self._tokens[token_id].expires_at
        revoked = self._revoked.setdefault(token_id, asyncio.Event())
        await set_within(revoked, (expires_at - self._now()).total_seconds() if expires_at else None)

    async def make(self, name: str, scopes: Collection[str], days: int | None, client: Client, *, dials_unasked: bool = False) -> str:
        """Makes a token and returns it: nobody can read it again. Raises Forbidden, RequestError, JournalError."""
        require(client, Scope.MANAGE)
        text, made = make_token(name, scopes, days, now=self._now(), dials_unasked=dials_unasked, made_by=client.person)

        def change(value: str) -> str:
            known = loaded(value)
            if self._taken(made.name) or any(token.name == made.name for token in known.values()):
                raise RequestError("Another token has this name.", code="token_name_taken")
            if len(known) >= MOST_TOKENS:
                raise RequestError(f"There can be {MOST_TOKENS} tokens at most. Revoke some.", code="too_many_tokens")
            return dumped([*known.values(), made])

        await self._change_state(change)
        unasked = " dials-unasked" if made.dials_unasked else ""
        self._note(client, "make-token", outcome="done", detail=f"{made.name} {'+'.join(sorted(made.scopes))}{unasked}")
        return text

    async def revoke(self, token_id: str, client: Client) -> bool:
        """Ends a token here at once, in all processes as soon as they read the journal; False if there is none.

        Raises Forbidden, JournalError.
        """
        require(client, Scope.MANAGE)
        revoked: ApiToken | None = None

        def kept(value: str) -> str:
            nonlocal revoked
            known = loaded(value)
            revoked = known.pop(token_id, None)
            return dumped(known.values()) if revoked else value

        await self._change_state(kept)
        if revoked:
            self._note(client, "revoke-token", outcome="done", detail=revoked.name)
        return revoked is not None
