"""Makes an order from a request: one call to one number, within this installation's limits."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.dialling.reach import Reach
from services.domain.call import CallOrder
from services.domain.errors import FieldError, NotConfigured, RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Makes orders, with defaults for what a request leaves out.

    `max_call_seconds` is the maximum duration that a request may ask for, and the default. `missing` names the credentials that are not
    set; `reach` says which numbers may be called at all.
    """

    assistant_id: str
    phone_number_id: str
    max_call_seconds: int
    missing: Sequence[str]
    reach: Reach

    def make(
        self,
        to: str,
        *,
        assistant_id: str | None = None,
        phone_number_id: str | None = None,
        name: str | None = None,
        first_message: str | None = None,
        variable_values: Mapping[str, Any] | None = None,
        max_duration_seconds: int | None = None,
        earliest_at: datetime | None = None,
        confirm_unlikely_number: bool = False,
    ) -> CallOrder:
        """The order. Raises NumberError (`number_unlikely` unless confirmed), RequestError, NotConfigured."""
        number = self.reach.number(to, unlikely=confirm_unlikely_number)
        if self.missing:
            raise NotConfigured.without(self.missing)
        if max_duration_seconds is not None and max_duration_seconds > self.max_call_seconds:
            detail = f"At most {self.max_call_seconds} seconds (EARSHOT_MAX_CALL_SECONDS)."
            raise RequestError(f"maxDurationSeconds: {detail}", errors=[FieldError("maxDurationSeconds", detail)])
        return CallOrder(
            to=number.e164,
            region=number.region,
            assistant_id=assistant_id or self.assistant_id,
            phone_number_id=phone_number_id or self.phone_number_id,
            tag=secrets.token_hex(8),
            name=name,
            first_message=first_message,
            variable_values=variable_values or {},
            max_duration_seconds=max_duration_seconds or self.max_call_seconds,
            earliest_at=earliest_at,
        )
