"""What an answer of Vapi that is not the one hoped for means, as an error with a next step. Pure."""

from services.domain.errors import CallNotFound, EarshotError, OutcomeUnknown, VapiError, VapiRefused, VapiUnauthorized, VapiUnavailable
from services.vapi.sdk import Answer

UNREACHABLE = "Vapi can't be reached. Check the network connection and try again."
NOTHING_PLACED = "Vapi can't be reached, so no call was placed. Check the network connection and try again."
MAY_BE_PLACED = (
    "Vapi's answer was lost, so the call may have been placed. Don't dial again yet: see whether it shows up here or in the Vapi dashboard."
)

_NEXT_STEPS = {
    402: "Vapi asks for payment. Check the balance and the plan in the Vapi dashboard.",
    403: "Vapi does not allow this. Check in the Vapi dashboard what the key in VAPI_API_KEY may do.",
    404: "Vapi does not know what was asked for. Check the assistant's and the phone number's id, and VAPI_BASE_URL.",
    429: "Vapi has been asked too often. Wait a little, then try again.",
}


def of_create(answer: Answer) -> VapiError:
    """Why `POST /call` gave no readable call. Only an answer that is surely a no says so; money may hang on any other."""
    if answer.status == 401:
        return _unauthorized()
    if 300 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return OutcomeUnknown(MAY_BE_PLACED)


def of_read(answer: Answer, *, call_id: str | None = None) -> EarshotError:
    """Why a GET gave nothing readable; with `call_id`, the call that was asked for."""
    if answer.status == 401:
        return _unauthorized()
    if answer.status == 404 and call_id is not None:
        return not_found()
    if 400 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return _unavailable(answer)


def of_control(answer: Answer) -> VapiError:
    """Why a control URL did not take a message."""
    if answer.status in (401, 403):
        said = answer.message or "The call's controls ask for a key."
        return VapiRefused(f"{said} Check that VAPI_PUBLIC_KEY is set to the account's public key.")
    if 300 <= answer.status < 500 and answer.status != 408:
        return _refused(answer)
    return _unavailable(answer)


def not_found() -> CallNotFound:
    return CallNotFound("Vapi knows no such call. It may have been deleted, or belong to another account.")


def _unauthorized() -> VapiUnauthorized:
    return VapiUnauthorized(
        "Vapi does not accept VAPI_API_KEY. It must be the private key, not the public one: "
        "copy it from the API keys page of the Vapi dashboard, then restart."
    )


def _refused(answer: Answer) -> VapiRefused:
    """Vapi's own words where it has any; nothing was done, and only asking too often is mended by waiting."""
    if answer.status < 400:
        detail = "Vapi's address answers with a redirect, which is not followed. Check VAPI_BASE_URL."
    else:
        unexplained = (
            f"Vapi refused with status {answer.status} and gave no reason. Check the request, and the account in the Vapi dashboard."
        )
        detail = answer.message or _NEXT_STEPS.get(answer.status, unexplained)
    return VapiRefused(detail, retryable=answer.status == 429, retry_after=answer.retry_after)


def _unavailable(answer: Answer) -> VapiUnavailable:
    if answer.ok:
        detail = "Vapi's answer can't be understood. Try again; if it stays so, check VAPI_BASE_URL."
    else:
        detail = f"Vapi can't answer just now (status {answer.status}). Try again in a moment."
    return VapiUnavailable(detail, retry_after=answer.retry_after)
