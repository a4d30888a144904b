"""Turns Vapi's error responses into our errors, each with a next step. Pure."""

from services.domain.errors import CallNotFound, EarshotError, OutcomeUnknown, VapiError, VapiRefused, VapiUnauthorized, VapiUnavailable
from services.vapi.sdk import Answer

UNREACHABLE = "Vapi can't be reached. Check the network connection and try again."
NOTHING_PLACED = "Vapi can't be reached, so no call was placed. Check the network connection and try again."
MAY_BE_PLACED = "Vapi's response was lost, so the call may have been placed. Don't dial again yet: check here or in the Vapi dashboard."

_NEXT_STEPS = {
    402: "Vapi requires payment. Check the balance and the plan in the Vapi dashboard.",
    403: "Vapi does not allow this. Check the permissions of the key in VAPI_API_KEY in the Vapi dashboard.",
    404: "Vapi did not find it. Check the ids of the assistant and the phone number, and VAPI_BASE_URL.",
    429: "Vapi received too many requests. Wait a little, then try again.",
}


def of_create(answer: Answer) -> VapiError:
    """The error for a `POST /call` without a readable call: `OutcomeUnknown` unless Vapi certainly refused, since the call may exist."""
    if answer.status == 401:
        return _unauthorized()
    if 300 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return OutcomeUnknown(MAY_BE_PLACED)


def of_read(answer: Answer, *, call_id: str | None = None) -> EarshotError:
    """The error for an unreadable response to a GET, of the call `call_id` if it is given."""
    if answer.status == 401:
        return _unauthorized()
    if answer.status == 404 and call_id is not None:
        return not_found()
    if 400 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return _unavailable(answer)


def of_control(answer: Answer) -> VapiError:
    """The error for a control URL that did not accept a message."""
    if answer.status in (401, 403):
        reason = answer.message or "The call's controls require a key."
        return VapiRefused(f"{reason} Check that VAPI_PUBLIC_KEY is set to the account's public key.")
    if 300 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return _unavailable(answer)


def not_found() -> CallNotFound:
    return CallNotFound("Vapi has no such call. It may have been deleted, or belong to another account.")


def _unauthorized() -> VapiUnauthorized:
    return VapiUnauthorized(
        "Vapi does not accept VAPI_API_KEY. Use the private key, not the public one: "
        "copy it from the API keys page of the Vapi dashboard, then restart."
    )


def _refused(answer: Answer) -> VapiRefused:
    """Vapi's own message if it has one. Nothing was done; only a 429 is worth retrying."""
    if answer.status < 400:
        detail = "Vapi's address responds with a redirect, which is not followed. Check VAPI_BASE_URL."
    else:
        no_reason = (
            f"Vapi refused with status {answer.status} and gave no reason. Check the request, and the account in the Vapi dashboard."
        )
        detail = answer.message or _NEXT_STEPS.get(answer.status, no_reason)
    return VapiRefused(detail, retryable=answer.status == 429, retry_after=answer.retry_after)


def _unavailable(answer: Answer) -> VapiUnavailable:
    if answer.ok:
        detail = "Vapi's response can't be read. Try again. If this does not help, check VAPI_BASE_URL."
    else:
        detail = f"Vapi is not available (status {answer.status}). Try again in a moment."
    return VapiUnavailable(detail, retry_after=answer.retry_after)
