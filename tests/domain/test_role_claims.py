"""Roles from the claims of an identity provider."""

from typing import Any

import pytest

from services.domain.person import Role
from services.domain.role_claims import role_of, role_rules

RULES = role_rules("owner=earshot-admins, supervisor = Team Leads ,caller=sales,caller=support,viewer=*")


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"roles": ["sales", "earshot-admins"]}, Role.OWNER),
        ({"roles": ["Team Leads"]}, Role.SUPERVISOR),
        ({"roles": "support"}, Role.CALLER),
        ({"roles": ["Earshot-Admins", "earshot-admins "]}, Role.VIEWER),
        ({"roles": {"earshot-admins": True}}, Role.VIEWER),
        ({"roles": [["earshot-admins"], None, 7]}, Role.VIEWER),
        ({"roles": "earshot-admins sales"}, Role.VIEWER),
        ({}, Role.VIEWER),
    ],
)
def test_the_highest_role_that_fits_exactly_counts(claims: dict[str, Any], role: Role) -> None:
    assert role_of(claims, "roles", RULES) is role


def test_without_a_rule_for_everybody_nobody_else_has_a_role() -> None:
    assert role_of({"roles": ["*", ""]}, "roles", role_rules("owner=earshot-admins")) is None
    assert role_of({"roles": None}, "roles", role_rules("owner=None")) is None


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["boss"]}}),
        ("https://desk.example/roles", {"https://desk.example/roles": ["boss"]}),
        ("hd", {"hd": "boss"}),
    ],
)
def test_a_claim_may_be_a_path_or_have_dots_in_its_name(claim: str, claims: dict[str, Any]) -> None:
    assert role_of(claims, claim, role_rules("owner=boss")) is Role.OWNER
    assert role_of({"realm_access": "boss"}, claim, role_rules("owner=boss")) is None


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_counts_only_if_the_provider_has_verified_it(verified: object) -> None:
    rules = role_rules("owner=anna@example.com")
    assert role_of({"email": "anna@example.com", "email_verified": verified}, "email", rules) is None
    assert role_of({"email": "anna@example.com", "email_verified": True}, "email", rules) is Role.OWNER


@pytest.mark.parametrize("text", ["owner", "owner=", "=x", "boss=x", "Owner=x", "earshot-admins=owner"])
def test_a_wrong_rule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as owner=earshot-admins"):
        role_rules(text)
