"""What a call does when a voicemail answers. Pure."""

from enum import StrEnum


class Voicemail(StrEnum):
    """The ways that one call can deal with a voicemail, in place of the assistant's own."""

    HANG_UP = "hang-up"
    LEAVE_MESSAGE = "leave-message"
    CONTINUE = "continue"
    """The assistant talks on, as to a person. For numbers where a detection mistakes people for machines."""


LONGEST_MESSAGE = 1000
"""Characters of a message that is left (OpenAPI `voicemailMessage`)."""
