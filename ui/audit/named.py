"""What the audit says, in the page's language."""

from services.domain.call import CallStatus
from services.journal import AuditRow
from ui.words import say, state, words

_NAMED = frozenset(
    {
        *("add-message", "add-person", "add-rule", "add-webhook", "block", "change-person", "change-phrases", "change-rule"),
        *("change-webhook", "confirm-dial", "delete-contact", "delete-data", "delete-note", "delete-recording", "delete-rule"),
        *("delete-transcripts", "delete-webhook", "dial", "disable-webhook", "dispose", "download-clip", "download-recording"),
        *("download-vapi-recording", "enable-webhook", "end", "end-all", "erase-number", "free-slot", "handoff", "import-contacts"),
        *(
            "invite-person",
            "listen",
            "login",
            "logout",
            "machine-dial",
            "make-token",
            "mute-assistant",
            "mute-customer",
            "note",
            "put-contact",
        ),
        *("record", "recording-agreed", "recording-consent", "recording-rules", "refuse-dial", "remove-person", "reschedule"),
        *("resume-dialling", "revoke-token", "say", "say-first-message", "send-again", "set-password", "stop-dialling", "stop-recording"),
        *("tag", "transfer", "unblock", "unmute-assistant", "unmute-customer", "untag", "write-credentials"),
    }
)

_OUTCOMES = frozenset({"done", "asked", "lost", "wrong_password", "refused", "stale", "unverified", "no_role", "not_admitted", "down"})


def action_name(action: str) -> str:
    """What was done; as the journal has it if the action has no name here, such as one of a newer version."""
    return say(f"did_{action}") if action in _NAMED else action


def outcome_name(row: AuditRow) -> str:
    """`Done`, the state of the call, or why it was refused; as the journal has it if the outcome has no name here."""
    if row.outcome in _OUTCOMES:
        return say(f"audit_{row.outcome}")
    if row.outcome in {status.value for status in CallStatus}:
        return state(CallStatus(row.outcome))
    return words().faults.get(row.outcome, row.words or row.outcome)
