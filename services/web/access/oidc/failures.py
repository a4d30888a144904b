"""Why a sign-in at an identity provider failed."""

from enum import StrEnum


class Reason(StrEnum):
    """The login page has a sentence for each."""

    DOWN = "down"
    """The provider does not answer, or not in a way that can be used."""
    REFUSED = "refused"
    """The provider did not let the person in, or they cancelled."""
    STALE = "stale"
    """The answer belongs to no sign-in that this browser has begun within the last minutes."""
    UNVERIFIED = "unverified"
    """The answer is not what the provider would have sent."""
    NO_ROLE = "no_role"
    """The provider gives the person no role here."""
    NOT_ADMITTED = "not_admitted"
    """The person is disabled here, or can't be added."""


class SignInFailed(Exception):
    """`detail` is for the log. It holds no code and no token."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
