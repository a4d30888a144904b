"""The account's assistants, phone numbers and squads, which can be read."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web

from services.demo_line import responses
from services.demo_line.responses import Body, Refusal
from services.demo_line.validation import select


class Account:
    """What the account has from the beginning. `org_id` is its organisation."""

    def __init__(self, org_id: str) -> None:
        now = datetime.now(UTC)
        self.assistants = responses.assistants(org_id, now)
        self.phone_numbers = responses.phone_numbers(org_id, now)
        self.squads = responses.squads(org_id, now, self.assistants)

    def routes(self) -> Sequence[tuple[str, str, list[Body]]]:
        """The path of each resource, its name in errors, and its bodies."""
        return (
            ("/assistant", "Assistant", self.assistants),
            ("/phone-number", "Phone Number", self.phone_numbers),
            ("/squad", "Squad", self.squads),
        )

    def require(self, order: Body) -> None:
        """Raises Refusal if an order names what the account does not have."""
        for field, kind, known in (
            ("assistantId", "Assistant", self.assistants),
            ("phoneNumberId", "Phone Number", self.phone_numbers),
            ("squadId", "Squad", self.squads),
        ):
            chosen = order.get(field)
            if chosen is not None and all(body["id"] != chosen for body in known):
                raise Refusal(400, f"Couldn't Get {kind}. `{field}` {chosen} Does Not Exist.")

    def speakers(self, order: Body) -> list[Body]:
        """The assistants that speak in a call, in their order."""
        if isinstance(order.get("assistant"), dict):
            return [order["assistant"]]
        if squad := next((squad for squad in self.squads if squad["id"] == order.get("squadId")), None):
            ids = [member["assistantId"] for member in squad["members"]]
        else:
            ids = [order.get("assistantId")]
        return [body for one in ids for body in self.assistants if body["id"] == one]

    def assistant(self, destination: Body) -> Body:
        """The assistant that a handoff names. Raises Refusal."""
        for field, key in (("assistantId", "id"), ("assistantName", "name")):
            if found := next((body for body in self.assistants if body[key] == destination.get(field)), None):
                return found
        raise Refusal(400, "Couldn't Get Assistant. The Destination Of The Handoff Does Not Exist.")

    async def phone_numbers_page(self, request: web.Request) -> web.Response:
        """`GET /v2/phone-number`: the numbers in pages."""
        query = dict(request.query)
        limit, page = _whole(query.pop("limit", ""), 100), _whole(query.pop("page", ""), 1)
        search = query.pop("search", "").casefold()
        query = {name: value for name, value in query.items() if name not in ("sortOrder", "sortBy")}
        found = [one for one in select(self.phone_numbers, query) if search in f"{one.get('name')} {one.get('number')}".casefold()]
        pages = -(-len(found) // limit)
        meta = {"itemsPerPage": limit, "totalItems": len(found), "currentPage": page, "totalPages": pages, "hasNextPage": page < pages}
        return web.json_response({"results": found[(page - 1) * limit : page * limit], "metadata": meta})


def _whole(text: str, default: int) -> int:
    return int(text) if re.fullmatch("[1-9][0-9]{0,8}", text) else default
