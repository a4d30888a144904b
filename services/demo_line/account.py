"""The account's assistants, phone numbers and squads."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web

from services.demo_line import responses
from services.demo_line.account_bodies import check_assistant, check_phone_number, squad_check
from services.demo_line.resources import Resources
from services.demo_line.responses import Body, Refusal
from services.demo_line.validation import select


class Account:
    """What the account has: from the beginning, and since. `org_id` is its organisation."""

    def __init__(self, org_id: str) -> None:
        now = datetime.now(UTC)
        self.assistants = responses.assistants(org_id, now)
        self.phone_numbers = responses.phone_numbers(org_id, now)
        self.squads = responses.squads(org_id, now, self.assistants)
        self.resources: Mapping[str, Resources] = {
            "/assistant": Resources("Assistant", self.assistants, check_assistant, org_id),
            "/phone-number": Resources("Phone Number", self.phone_numbers, check_phone_number, org_id),
            "/squad": Resources("Squad", self.squads, squad_check(self.assistants), org_id),
        }
        """Each kind by its path in the API."""

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
        """The assistants that speak in a call, in their order. A deleted one is silent."""
        squad = next((squad for squad in self.squads if squad["id"] == order.get("squadId")), None)
        known = {body["id"]: body for body in self.assistants}
        found = (member.get("assistant") or known.get(member.get("assistantId")) for member in (squad["members"] if squad else [order]))
        return [body for body in found if isinstance(body, dict)]

    def assistant(self, destination: Body) -> Body:
        """The assistant that a handoff names. Raises Refusal."""
        for field, key in (("assistantId", "id"), ("assistantName", "name")):
            wanted = destination.get(field)
            if found := next((body for body in self.assistants if wanted is not None and body.get(key) == wanted), None):
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
