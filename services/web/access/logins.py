"""What lets a client stay: a login session, or a token that was made on the page. Each has a key, of letters, digits and dashes."""

from services.desk.lists.made_tokens import MadeTokens
from services.domain.client import Client
from services.web.access.sessions import Sessions

_PREFIX = "token-"  # of the key of a token


def key_of_token(token_id: str) -> str:
    return _PREFIX + token_id


class Logins:
    """Which sessions and tokens, by their keys, are still valid. `sessions` is None if nobody has to log in."""

    def __init__(self, sessions: Sessions | None, tokens: MadeTokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    async def lives(self, key: str) -> bool:
        """True for a key of a valid session or token."""
        if key.startswith(_PREFIX):
            return self._tokens.lives(key.removeprefix(_PREFIX))
        return self._sessions is not None and await self._sessions.lives(key)

    async def over(self, key: str) -> None:
        """Returns once it has ended."""
        if key.startswith(_PREFIX):
            await self._tokens.over(key.removeprefix(_PREFIX))
        elif self._sessions is not None:
            await self._sessions.over(key)

    def client_now(self, key: str, client: Client) -> Client:
        """Who acts in an open page, which `client` opened in the session `key`. Raises Unauthorized once the session is over."""
        return self._sessions.client_of(key) if self._sessions is not None and key else client
