"""Validates bodies of assistants, phone numbers and squads as Vapi does: one Refusal lists every error, in Vapi's words."""

from collections.abc import Callable, Collection
from typing import Any

from services.demo_line.responses import Body, Refusal

# OpenAPI, CreateAssistantDTO and UpdateAssistantDTO.
_ASSISTANT = frozenset(
    {"analysisPlan", "artifactPlan", "backgroundSound", "backgroundSpeechDenoisingPlan", "clientMessages", "compliancePlan"}
    | {"credentialIds", "credentials", "endCallMessage", "endCallPhrases", "firstMessage", "firstMessageInterruptionsEnabled"}
    | {"firstMessageMode", "hooks", "keypadInputPlan", "maxDurationSeconds", "metadata", "model", "modelOutputInMessagesEnabled"}
    | {"monitorPlan", "name", "observabilityPlan", "server", "serverMessages", "startSpeakingPlan", "stopSpeakingPlan", "transcriber"}
    | {"transportConfigurations", "voice", "voicemailDetection", "voicemailMessage"}
)
# OpenAPI, CreateSquadDTO and SquadMemberDTO.
_SQUAD = frozenset({"members", "membersOverrides", "name"})
_MEMBER = frozenset({"assistant", "assistantDestinations", "assistantId", "assistantOverrides", "assistantVersion"})
# OpenAPI, Create...PhoneNumberDTO and Update...PhoneNumberDTO: what each provider's numbers have, and what a new one needs.
_ANY_NUMBER = frozenset({"assistantId", "fallbackDestination", "hooks", "name", "provider", "server", "squadId", "workflowId"})
_TWILIO = {"number", "smsEnabled", "twilioAccountSid", "twilioApiKey", "twilioApiSecret", "twilioAuthToken"}
_PROVIDERS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "twilio": (_ANY_NUMBER | _TWILIO, ("number", "twilioAccountSid")),
    "vapi": (_ANY_NUMBER | {"authentication", "numberDesiredAreaCode", "sipUri"}, ()),
    "byo-phone-number": (_ANY_NUMBER | {"credentialId", "number", "numberE164CheckEnabled"}, ("credentialId",)),
    "vonage": (_ANY_NUMBER | {"credentialId", "number"}, ("number", "credentialId")),
    "telnyx": (_ANY_NUMBER | {"credentialId", "number"}, ("number", "credentialId")),
}
_LONGEST = {"name": 40, "voicemailMessage": 1000, "endCallMessage": 1000}
_TEXTS = ("firstMessage", "number", "credentialId", "twilioAccountSid", "twilioAuthToken", "sipUri", "numberDesiredAreaCode")
_OBJECTS = ("model", "voice", "transcriber", "metadata", "server", "monitorPlan", "artifactPlan", "analysisPlan", "membersOverrides")
_DURATION = (10, 43_200)  # seconds


def check_assistant(body: object, changes: Body | None) -> Body:
    """The fields of a new assistant, or of a change."""
    fields = _object(body)
    errors = _errors(fields, _ASSISTANT)
    seconds = fields.get("maxDurationSeconds")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
        errors.append("maxDurationSeconds must be a number conforming to the specified constraints")
    elif seconds is not None and not _DURATION[0] <= seconds <= _DURATION[1]:
        errors.append(f"maxDurationSeconds must not be less than {_DURATION[0]} or greater than {_DURATION[1]}")
    return _accepted(fields, errors)


def check_phone_number(body: object, changes: Body | None) -> Body:
    """The fields of a new phone number, or of a change. A number keeps its provider."""
    fields = _object(body)
    provider: object = changes["provider"] if changes else fields.get("provider")
    if not isinstance(provider, str) or provider not in _PROVIDERS or fields.get("provider", provider) != provider:
        raise Refusal(400, [f"provider must be one of the following values: {changes['provider'] if changes else ', '.join(_PROVIDERS)}"])
    known, needed = _PROVIDERS[provider]
    errors = _errors(fields, known)
    given = fields if changes is None else (changes | fields)
    errors += [f"{name} must be a string" for name in needed if given.get(name) is None]
    return _accepted(fields | ({"status": "active"} if changes is None else {}), errors)


def squad_check(assistants: Collection[Body]) -> Callable[[object, Body | None], Body]:
    """Checks squads, whose members are `assistants` of the account, or written out."""

    def check(body: object, changes: Body | None) -> Body:
        fields = _object(body)
        errors = _errors(fields, _SQUAD)
        members = fields.get("members")
        if not isinstance(members, list) or not members:
            errors.append("members must be an array with at least one element")  # also in a change (OpenAPI `UpdateSquadDTO`)
            members = []
        for at, member in enumerate(members):
            errors += [f"members.{at}.{error}" for error in _member_errors(member)]
        _accepted(fields, errors)
        for chosen in (member.get("assistantId") for member in members):
            if chosen is not None and all(body["id"] != chosen for body in assistants):
                raise Refusal(400, f"Couldn't Get Assistant. `assistantId` {chosen} Does Not Exist.")
        return fields

    return check


def _member_errors(member: Any) -> list[str]:
    if not isinstance(member, dict):
        return ["each value in members must be an object"]
    errors = [f"property {name} should not exist" for name in member if name not in _MEMBER]
    if not isinstance(member.get("assistantId", ""), str) or not isinstance(member.get("assistant", {}), dict):
        errors.append("assistantId must be a UUID, or assistant an object")
    elif not member.get("assistantId") and not member.get("assistant"):
        errors.append("needs either assistantId or assistant")
    return errors


def _object(body: object) -> Body:
    if not isinstance(body, dict):
        raise Refusal(400, ["body must be an object"])
    return body


def _errors(fields: Body, known: Collection[str]) -> list[str]:
    """The errors in fields that mean the same everywhere. Null takes a field away."""
    given = {name: value for name, value in fields.items() if value is not None}
    return [
        *(f"property {name} should not exist" for name in fields if name not in known),
        *(
            f"{name} must be a string of at most {most} characters"
            for name, most in _LONGEST.items()
            if not (isinstance(text := given.get(name, ""), str) and len(text) <= most)
        ),
        *(f"{name} must be a string" for name in _TEXTS if not isinstance(given.get(name, ""), str)),
        *(f"{name} must be an object" for name in _OBJECTS if not isinstance(given.get(name, {}), dict)),
    ]


def _accepted(fields: Body, errors: list[str]) -> Body:
    if errors:
        raise Refusal(400, errors)
    return fields
