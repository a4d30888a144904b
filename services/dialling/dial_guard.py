"""May this number be dialled, now, by this client? Pure: what the files say and how many calls run is told to it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, LimitReached, Stopped
from services.domain.phone_number import PhoneNumber, region_name, regions_sharing

log = logging.getLogger(__name__)

ANYWHERE = "*"

_HOME_OF_VAPI = "US"
"""Where the caller ID's country is not known: the numbers that Vapi itself hands out are all of the United States."""


class Blocked(Protocol):
    """The block list, as far as the guard needs it."""

    async def refresh(self) -> None: ...
    def rule_for(self, e164: str) -> str | None: ...


class StopSwitch(Protocol):
    """The switch that stops all dialling, as far as the guard needs it. `state` is not None while dialling is stopped."""

    @property
    def state(self) -> object | None: ...
    async def refresh(self) -> None: ...


class Slot:
    """Room for one call, held from before it is dialled until it is counted as running, or known not to have been placed."""

    def __init__(self, held: set["Slot"]) -> None:
        self._held = held
        held.add(self)

    def hand_over(self) -> None:
        """Says that `running` counts the call from now on, until it is proven to have ended. May be called more than once."""
        self._held.discard(self)


class DialGuard:
    """Holds one installation's rules.

    `allowed_regions` are ISO 3166 codes or `*`; with None only the caller ID's own region may be called, which `own_region`
    tells, or the United States while it is not known.
    A number that may be of any of several regions is refused unless all of them are allowed. Numbers in `always`, which is the demo
    line's example, are of no region and may be called. `concurrent_calls` None: no limit.
    `running` is the number of calls that are known and not proven to have ended, those of unknown outcome among them.
    """

    def __init__(
        self,
        *,
        allowed_regions: frozenset[str] | None,
        own_region: Callable[[], str | None],
        blocked: Blocked,
        switch: StopSwitch,
        concurrent_calls: int | None,
        running: Callable[[], int],
        always: frozenset[str] = frozenset(),
    ) -> None:
        self._allowed_regions = allowed_regions
        self._own_region = own_region
        self._blocked = blocked
        self._switch = switch
        self._concurrent_calls = concurrent_calls
        self._running = running
        self._always = always
        self._held: set[Slot] = set()

    async def refresh(self) -> None:
        """Takes in what the block list and the switch say at this moment. Raises OSError."""
        await self._switch.refresh()
        await self._blocked.refresh()

    async def admit(self, number: PhoneNumber, client: Client) -> None:
        """`check`, by what the block list and the switch say at this moment. Raises what `check` raises; Stopped if they can't be read."""
        await self.admit_destination(number, client)
        self._check_room()

    async def admit_destination(self, number: PhoneNumber | None, client: Client) -> None:
        """As `admit`, for where a running call is transferred to: it takes no slot of its own. None is a place without a number (SIP)."""
        try:
            await self.refresh()
        except OSError as error:
            log.error("the block list or the switch that stops dialling can't be read (%s)", error.strerror)
            raise Stopped("The block list or the stop switch in the data folder can't be read, so nothing is dialled.") from error
        self._check_client(client)
        if number is not None:
            self._check_number(number)

    def check(self, number: PhoneNumber, client: Client) -> None:
        """Raises Forbidden (`forbidden_scope`, `number_blocked`, `destination_not_allowed`), Stopped, LimitReached where none is free."""
        self._check_client(client)
        self._check_number(number)
        self._check_room()

    def _check_client(self, client: Client) -> None:
        if Scope.CALL not in client.scopes:
            raise Forbidden("This token may not place calls: it has no scope `call`.")
        if self._switch.state is not None:
            raise Stopped("All dialling was stopped. Allow it again on the page, or by POST /api/dialling/resume.")

    def _check_number(self, number: PhoneNumber) -> None:
        if self._blocked.rule_for(number.e164):
            raise Forbidden(f"{number.international} is on the block list.", code="number_blocked")
        self._check_region(number)

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Takes a slot before a call is dialled; leaving gives it back unless it was handed over. Raises LimitReached when there is none.

        Nothing is awaited between counting and taking, so that any number of requests at once get no more slots than there are.
        """
        self._check_room()
        slot = Slot(self._held)
        try:
            yield slot
        finally:
            slot.hand_over()

    def _check_room(self) -> None:
        if self._concurrent_calls is not None and self._running() + len(self._held) >= self._concurrent_calls:
            raise LimitReached.at_once(self._concurrent_calls)

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
                "No numbering plan knows this number, so nobody can tell which of the countries that share its code it rings in. "
                "It may be called only with EARSHOT_ALLOWED_REGIONS set to *."
            )
        wider = ",".join(sorted({*allowed, number.region}))
        raise _not_allowed(
            f"Calls to {region_name(number.region) or number.region} are not allowed. EARSHOT_ALLOWED_REGIONS={wider} would allow them."
        )


def _not_allowed(detail: str) -> Forbidden:
    return Forbidden(detail, code="destination_not_allowed")
