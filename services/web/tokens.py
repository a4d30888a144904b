"""`python -m services.web.tokens NAME [SCOPE...]` makes a token for the API."""

import hashlib
import secrets
import sys
from collections.abc import Sequence

from services.domain.api_token import is_token_name
from services.domain.client import Scope
from services.web.access.tokens import read_tokens


def main(arguments: Sequence[str]) -> int:
    """Makes a token and prints it once, with the entry for EARSHOT_API_TOKENS."""
    if not arguments or not is_token_name(arguments[0]):
        print(f"Usage: python -m services.web.tokens NAME [{'|'.join(Scope)} ...]", file=sys.stderr)  # noqa: T201
        return 2
    token = secrets.token_urlsafe(32)
    entry = f"{arguments[0]}:{'+'.join(arguments[1:]) or '*'}:{hashlib.sha256(token.encode()).hexdigest()}"
    read_tokens(entry)
    print(f"Token, shown this once:    {token}")  # noqa: T201
    print(f"Add to EARSHOT_API_TOKENS: {entry}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
