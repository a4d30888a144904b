"""Which role an identity provider's claims give to a person. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.domain.person import Role

ANYBODY = "*"
_ORDER = list(Role)


@dataclass(frozen=True, slots=True)
class RoleRule:
    """A person with `value` in the claim has the role; with `*`, everybody who signs in."""

    role: Role
    value: str

    def __str__(self) -> str:
        return f"{self.role}={self.value}"


def role_rules(text: str) -> tuple[RoleRule, ...]:
    """`owner=earshot-admins, viewer=*` as rules. Raises ValueError."""
    rules = []
    for item in (part.strip() for part in text.split(",") if part.strip()):
        role, _, value = (part.strip() for part in item.partition("="))
        if role not in _ORDER or not value:
            raise ValueError(
                f"takes roles and values such as owner=earshot-admins, viewer=*, with the roles {', '.join(_ORDER)}, not {item}"
            )
        rules.append(RoleRule(Role(role), value))
    return tuple(rules)


def role_of(claims: Mapping[str, Any], claim: str, rules: tuple[RoleRule, ...]) -> Role | None:
    """The highest role that the claims give, None without any."""
    values = set(_values(claims, claim))
    found = [rule.role for rule in rules if rule.value == ANYBODY or rule.value in values]
    return max(found, key=_ORDER.index, default=None)


def has_claim(claims: Mapping[str, Any], claim: str) -> bool:
    return _claim(claims, claim) is not None


def _values(claims: Mapping[str, Any], claim: str) -> Iterator[str]:
    # Somebody who sets their own address could set an owner's.
    if claim == "email" and claims.get("email_verified") is not True:
        return
    found = _claim(claims, claim)
    yield from (value for value in (found if isinstance(found, list) else [found]) if isinstance(value, str))


def _claim(claims: Mapping[str, Any], claim: str) -> object:
    """The claim of this name, or of this path: `realm_access.roles` is `{"realm_access": {"roles": ...}}`."""
    if claim in claims:
        return claims[claim]
    found: object = claims
    for part in claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
