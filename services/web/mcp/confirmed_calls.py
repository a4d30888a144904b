"""`place_call` of MCP: a dial that somebody on the page has to confirm first, unless the token may dial without asking."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope as AsgiScope

from services.desk.desk import CallDesk
from services.desk.placing.dial_question import ANSWER_WITHIN, DialQuestion
from services.domain.client import Client
from services.domain.errors import ConfirmedDialFailed, DialRefused, EarshotError, QuestionOver
from services.support.rfc3339 import rfc3339
from services.web.idempotency import fingerprint_of
from services.web.mcp.inner_requests import Answer, InnerRequests
from services.web.mcp.tools import PlaceCall
from services.web.requests import CallRequest

WAITING = "waiting_for_confirmation"
"""The `status` of an answer without a call."""

_IN_PROGRESS = "idempotency_in_progress"
_TRY_AGAIN_S = 0.2
_TRIES = 100


class ConfirmedCalls:
    """Asks on the page. The process in which somebody agrees dials; REST then answers with that call, by its key.

    Were both to dial, one could do so after the other has failed: once more, though somebody has been told that nothing was placed.
    """

    def __init__(self, desk: CallDesk, rest: InnerRequests) -> None:
        self._desk = desk
        self._rest = rest

    async def place(self, outer: AsgiScope, client: Client, wanted: PlaceCall) -> Answer:
        """The answer of `POST /api/vapi_call`, or 202 while it waits for somebody. Raises EarshotError if that can't be asked for, or was
        refused."""
        body = wanted.request()
        if body.dryRun or client.dials_unasked:
            return await self._dial(outer, client, body, wanted.idempotencyKey)
        key, fingerprint = wanted.idempotencyKey, fingerprint_of(body)
        question = self._desk.questions.find(client, key, fingerprint)
        if question is None:
            if key is not None and await self._desk.journal.has_key(client.name, key):
                return await self._dial(outer, client, body, key)
            question = await self._ask(client, body, key, fingerprint)
        question = await self._desk.questions.answered(question.id, wanted.waitSeconds)
        if question.placed:
            return await self._dial(outer, self._desk.questions.confirmed(client, question), body, question.key)
        if question.failed:
            raise ConfirmedDialFailed(f"Somebody confirmed this call, but it was not placed ({question.failed}): {question.why}")
        if question.agreed:
            return 202, _waiting(question)
        if question.agreed is not None:
            raise DialRefused("Somebody on the page refused this call. Do not ask for it again unless the person you work for says so.")
        if not question.waiting(datetime.now(UTC)):
            minutes = int(ANSWER_WITHIN.total_seconds() / 60)
            raise QuestionOver(f"Nobody answered within {minutes} minutes. No call was placed.", code="not_confirmed")
        return 202, _waiting(question)

    async def _ask(self, client: Client, body: CallRequest, key: str | None, fingerprint: str) -> DialQuestion:
        """Nobody is asked about a call that could not be placed anyway."""
        try:
            order = self._desk.order(body.destination, **body.order_fields())
            await self._desk.weigh(order, client, allow_duplicate=body.allowDuplicate)
        except EarshotError as error:
            self._desk.dials.refused(error)
            raise
        return await self._desk.questions.ask(order, client, key=key, fingerprint=fingerprint, allow_duplicate=body.allowDuplicate)

    async def _dial(self, outer: AsgiScope, client: Client, body: CallRequest, key: str | None) -> Answer:
        """Another request with this key may be dialling at this moment: then this waits for its answer."""
        allowed = replace(client, asks_first=False)
        sent = body.model_dump(mode="json", exclude_unset=True)
        for _ in range(_TRIES):
            status, answer = await self._rest.ask(outer, allowed, "POST", "/api/vapi_call", body=sent, key=key)
            if answer.get("code") != _IN_PROGRESS:
                break
            await asyncio.sleep(_TRY_AGAIN_S)
        return status, answer


def _waiting(question: DialQuestion) -> dict[str, Any]:
    detail = "Somebody has to confirm this call on Earshot's page. Nothing was dialled yet."
    if question.agreed:
        detail = "Somebody has confirmed this call, and it is being dialled."
    return {
        "status": WAITING,
        "detail": f"{detail} Ask again with the same arguments.",
        "expiresAt": rfc3339(question.expires_at),
    }
