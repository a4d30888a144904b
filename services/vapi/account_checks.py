"""What Vapi says about the account's assistant and phone number that decides how well Earshot works with them. Pure."""

from dataclasses import dataclass
from typing import Literal

from services.vapi import values
from services.vapi.addresses import parts_of
from services.vapi.sdk import Answer

WEBHOOK_PATH = "/api/vapi_events"
NEEDED_MESSAGES = ("status-update", "end-of-call-report", "transcript")
"""Server messages from which Earshot learns something as soon as it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of a check, in one sentence that holds no id, number or name."""

    level: Literal["ok", "note", "problem"]
    text: str


def key_finding(answer: Answer) -> Finding:
    """From any answer to a request with the private key."""
    if answer.status == 401:
        return _problem("Vapi does not accept VAPI_API_KEY. Copy the private key, not the public one, from the Vapi dashboard.")
    if answer.status >= 500:
        return _problem(f"Vapi is not available (status {answer.status}). Try again in a moment.")
    return _ok("Vapi accepts VAPI_API_KEY.")


def assistant_findings(answer: Answer) -> list[Finding]:
    """From the answer to `GET /assistant/{id}`."""
    if not answer.ok or not isinstance(answer.body, dict):
        return [_problem(f"VAPI_ASSISTANT_ID is not an assistant of this account (status {answer.status}).")]
    body = answer.body
    plan, artifacts = values.table(body.get("monitorPlan")), values.table(body.get("artifactPlan"))
    found = [_ok("The assistant exists.")]
    if plan.get("listenEnabled") is False:
        found.append(_problem("Its monitorPlan switches listening off (listenEnabled), so its calls can't be heard."))
    if plan.get("controlEnabled") is False:
        found.append(_problem("Its monitorPlan switches control off (controlEnabled), so Earshot can't hang up or steer its calls."))
    if plan.get("listenAuthenticationEnabled") or plan.get("controlAuthenticationEnabled"):
        found.append(_note("Its listen and control URLs ask for the public key: VAPI_PUBLIC_KEY must be set."))
    if artifacts.get("recordingEnabled") is False:
        found.append(_note("Vapi does not record its calls (artifactPlan.recordingEnabled)."))
    return found


def number_findings(answer: Answer) -> list[Finding]:
    """From the answer to `GET /phone-number/{id}`."""
    if not answer.ok or not isinstance(answer.body, dict):
        return [_problem(f"VAPI_PHONE_NUMBER_ID is not a phone number of this account (status {answer.status}).")]
    found = [_ok("The phone number exists.")]
    if answer.body.get("provider") == "vapi":
        found.append(_note("It was bought at Vapi: such numbers have a daily limit of outgoing calls, and free ones can't call abroad."))
    if answer.body.get("status") not in (None, "active"):
        found.append(_problem("Vapi says that it is not active."))
    if not isinstance(answer.body.get("number"), str):
        found.append(_note("Vapi does not tell its number, so only the United States may be called unless EARSHOT_ALLOWED_REGIONS is set."))
    return found


def webhook_address(assistant: Answer) -> str | None:
    """The assistant's server URL, if it leads to an Earshot by https."""
    url = values.table(values.table(assistant.body).get("server")).get("url")
    parts = parts_of(url)
    return url if parts and parts.scheme == "https" and parts.path.endswith(WEBHOOK_PATH) else None


def webhook_findings(assistant: Answer, *, accepted: bool) -> list[Finding]:
    """About the assistant's webhooks. `accepted`: Earshot has a secret or a key for them."""
    body = values.table(assistant.body)
    server = values.table(body.get("server"))
    if not server.get("url"):
        return [_note("The assistant has no server URL. Earshot needs none; the phone number or the organisation may have one.")]
    if webhook_address(assistant) is None:
        return [_note("The assistant's server URL is not an Earshot's. Earshot needs none.")]
    if not accepted:
        return [
            _problem("The assistant's server URL is an Earshot's, but neither EARSHOT_WEBHOOK_SECRET nor EARSHOT_WEBHOOK_HMAC_KEY is set.")
        ]
    messages = body.get("serverMessages")
    missing = [kind for kind in NEEDED_MESSAGES if isinstance(messages, list) and kind not in messages]
    if messages is None:
        missing = ["transcript"]  # not among Vapi's defaults
    return [_note(f"The assistant does not send {' and '.join(missing)} (serverMessages).")] if missing else []


def _ok(text: str) -> Finding:
    return Finding(level="ok", text=text)


def _note(text: str) -> Finding:
    return Finding(level="note", text=text)


def _problem(text: str) -> Finding:
    return Finding(level="problem", text=text)
