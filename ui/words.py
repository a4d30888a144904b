"""Every text that the page shows of its own, in one catalogue by key, so that another language is another mapping."""

from collections.abc import Iterator, Mapping
from string import Formatter

from services.call import CallStatus

LANGUAGE = "en"

ENGLISH: Mapping[str, str] = {
    "product": "Earshot",
    # header
    "demo_line": "Demo line",
    "demo_line_short": "no phone rings",
    "live": "Live",
    "live_short": "real calls through Vapi",
    "not_ready": "Not ready",
    "not_ready_short": "no call can be placed",
    "demo_title": "You are on the demo line",
    "demo_explained": "Calls go to a stand-in inside Earshot. They ring, talk and end like real ones, "
    "but no phone rings and nothing is charged.",
    "go_live": "To place real calls, put these three into the file .env and start Earshot again:",
    "live_title": "Calls are real",
    "live_explained": "Each press of Call rings a phone through Vapi, at Vapi's price.",
    # what is wrong
    "missing_title": "Calls can't be placed yet",
    "missing_one": "{names} is missing. Put it into the file .env, or into the environment, and start Earshot again.",
    "missing_many": "{names} are missing. Put them into the file .env, or into the environment, and start Earshot again.",
    "and": " and ",
    "trouble_title": "Vapi is not answering.",
    "trouble": "Earshot keeps trying; calls that run go on.",
    "unexpected_title": "Something went wrong",
    "unexpected": "This is a fault in Earshot; its log says more. Look at the list of calls before you dial again.",
    "dismiss": "Dismiss",
    "log_out": "Log out",
    # dialer
    "dialer": "Dial",
    "number": "Phone number",
    "example": "+1 415 555 2671",
    "call": "Call",
    "call_anyway": "Call anyway",
    "duplicate": "This number was called a moment ago. Call it once more?",
    "hint": "Start with + and the country code.",
    "half": "",
    "not_configured": "No call can be placed until the missing settings are there.",
    "calls": "Calls {number}.",
    "calls_from": "Calls {number} from {line}.",
    "calls_as": "Calls {number} as {assistant}.",
    "calls_from_as": "Calls {number} from {line} as {assistant}.",
    "offline": "No connection to Earshot: nothing was dialled. Press Call again once the page is connected.",
    "late_title": "Nothing was dialled",
    "late": "The connection was interrupted when you pressed Call. Press it again if you still want to.",
    # stage
    "stage": "Call",
    "empty_title": "Dial a number, hear both sides",
    "empty": "Your assistant talks on the phone, and you listen while it does: the customer in your left ear, the assistant in your right.",
    "use_example": "Use an example number",
    "dialling": "Dialling…",
    "unknown_number": "Unknown number",
    "from_line": "from {line}",
    "as_assistant": "as {assistant}",
    "unknown": "It is not known whether this call was placed. Earshot is looking for it; do not dial again yet.",
    "scheduled": "This call has not begun. It can be ended here once it rings.",
    "forwarding": "The call is being handed to another number.",
    "blocked": "All lines of the account are taken. The call starts as soon as one is free.",
    "listen": "Listen",
    "stop_listening": "Stop listening",
    "spread": "Both ears",
    "end_call": "End call",
    "ending": "Ending…",
    "call_again": "Call again",
    "cost": "Cost",
    "summary": "Summary",
    "cent": "less than $0.01",
    # list
    "calls_list": "Calls",
    "running": "Running",
    "earlier": "Earlier",
    "no_calls_title": "Nothing yet",
    "no_calls": "Your calls will be listed here.",
    # the brake
    "brake": "Stop dialling",
    "brake_short": "Stop",
    "brake_stopped": "Dialling stopped",
    "brake_stopped_short": "Stopped",
    "dialling_allowed": "Dialling is allowed",
    "dialling_allowed_explained": "Stopping refuses every new call, from this page and from the API, until you allow it again. "
    "Calls that run go on.",
    "dialling_stopped": "All dialling is stopped",
    "dialling_stopped_explained": "No call can be placed, from this page or from the API. Calls that run go on.",
    "stopped_by": "Stopped by {who},",
    "stop_dialling": "Stop all dialling",
    "resume_dialling": "Allow dialling again",
    "who_page": "someone on this page",
    "who_local": "a program on this computer",
    "who_file": "someone with access to the data folder",
    "end_all_none": "No call is running",
    "end_all_one": "End the running call",
    "end_all_many": "End all {count} running calls",
    "end_all_sure_one": "Press again to end it",
    "end_all_sure_many": "Press again to end all {count}",
    "end_all_busy": "Ending…",
    "end_all_done_one": "The call has ended.",
    "end_all_done_many": "{count} calls have ended.",
    "end_all_unconfirmed_title": "Not every call is known to have ended",
    "end_all_unconfirmed": "{number}: {why}",
}

STATUS: Mapping[CallStatus, str] = {
    CallStatus.UNKNOWN: "Not known yet",
    CallStatus.SCHEDULED: "Scheduled",
    CallStatus.QUEUED: "Queued",
    CallStatus.RINGING: "Ringing",
    CallStatus.IN_PROGRESS: "Answered",
    CallStatus.FORWARDING: "Forwarding",
    CallStatus.ENDED: "Ended",
}


def say(key: str, **values: str) -> str:
    """The text of `key` with its gaps filled."""
    return ENGLISH[key].format(**values)


def parts(key: str) -> Iterator[tuple[str, str | None]]:
    """The text of `key` cut at its gaps: each piece with the name of the gap after it, so that what fills a gap can be an element."""
    for literal, gap, _, _ in Formatter().parse(ENGLISH[key]):
        yield literal, gap


def both(names: tuple[str, ...]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return say("and").join(filter(None, (", ".join(names[:-1]), names[-1])))
