"""Decides whether a client may dial a number now. Pure: block list and switch are passed in. The caps are the journal's."""

from collections.abc import Callable
from typing import Protocol

from services.dialling.number_rules import dialled_as, refuse_kind
from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, Stopped
from services.domain.phone_number import PhoneNumber, region_name, regions_sharing

ANYWHERE = "*"

_HOME_OF_VAPI = "US"
"""The assumed country of an unknown caller ID: Vapi's own numbers are all from the United States."""


class Blocked(Protocol):
    """The part of the block list that the guard needs."""

    def rule_for(self, e164: str) -> str | None: ...


class StopSwitch(Protocol):
    """The part of the stop switch that the guard needs. `state` is not None while dialling is stopped."""

    @property
    def state(self) -> object | None: ...


class DialGuard:
    """The rules of one installation.

    `allowed_regions` are ISO 3166 codes or `*`. None allows only the caller ID's region, which `own_region` returns, or the United
    States while that is unknown. A number that could belong to several regions is refused unless all of them are allowed.
    Numbers in `always` (the demo line's example) have no region and are allowed.
    """

    def __init__(
        self,
        *,
        allowed_regions: frozenset[str] | None,
        own_region: Callable[[], str | None],
        blocked: Blocked,
        switch: StopSwitch,
        always: frozenset[str] = frozenset(),
    ) -> None:
        self._allowed_regions = allowed_regions
        self._own_region = own_region
        self._blocked = blocked
        self._switch = switch
        self._always = always

    def check_destination(self, number: PhoneNumber | None, client: Client) -> None:
        """Like `check`, for the destination of a transfer. None is a SIP URI without a number."""
        if Scope.TRANSFER not in client.scopes:
            raise Forbidden(f"{_who(client)} may not transfer calls: it lacks the scope `transfer`.")
        self._check_switch()
        self._check_own_regions(number, client)
        if number is not None:
            self._check_number(number)

    def check(self, number: PhoneNumber | None, client: Client) -> None:
        """Raises Forbidden (`forbidden_scope`, `number_blocked`, `destination_not_allowed`, `destination_not_yours`), NumberError or
        Stopped. None is a SIP URI without a number.
        """
        if Scope.CALL not in client.scopes:
            raise Forbidden(f"{_who(client)} may not place calls: it lacks the scope `call`.")
        self._check_switch()
        self._check_own_regions(number, client)
        if number is not None:
            self._check_number(number)

    def _check_switch(self) -> None:
        if self._switch.state is not None:
            raise Stopped("All dialling is stopped. Resume it on the page or with POST /api/dialling/resume.")

    def _check_own_regions(self, number: PhoneNumber | None, client: Client) -> None:
        """Refuses what the person's own countries leave out. The installation's countries apply as well."""
        regions = client.caps.regions
        if regions is None or (number is not None and (number.e164 in self._always or number.region in regions)):
            return
        where = region_name(number.region) or number.region if number is not None and number.region else "this destination"
        raise Forbidden(f"You may not call {where}. An owner can allow it.", code="destination_not_yours")

    def _check_number(self, number: PhoneNumber) -> None:
        if number.e164 not in self._always:
            refuse_kind(number.e164)  # `Reach` does so when it reads a number; orders that never passed it stop here
        if any(map(self._blocked.rule_for, dialled_as(number.e164))):
            raise Forbidden(f"{number.international} is on the block list.", code="number_blocked")
        self._check_region(number)

    def _check_region(self, number: PhoneNumber) -> None:
        allowed = self._allowed_regions
        if number.e164 in self._always:
            return
        if allowed is None:
            allowed = frozenset({self._own_region() or _HOME_OF_VAPI})
        if ANYWHERE in allowed or number.region in allowed:
            return
        if number.region is None:
            possible = regions_sharing(number.e164)
            if possible and allowed.issuperset(possible):
                return
            raise _not_allowed(
                "No numbering plan contains this number, so its country is unknown: several countries share its code. "
                "Set EARSHOT_ALLOWED_REGIONS to * to call it."
            )
        wider = ",".join(sorted({*allowed, number.region}))
        raise _not_allowed(
            f"Calls to {region_name(number.region) or number.region} are not allowed. Set EARSHOT_ALLOWED_REGIONS={wider} to allow them."
        )


def _who(client: Client) -> str:
    return "Your role" if client.person else "This token"


def _not_allowed(detail: str) -> Forbidden:
    return Forbidden(detail, code="destination_not_allowed")
