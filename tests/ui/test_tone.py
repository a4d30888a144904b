"""Each kind of end has a tone, and only a conversation has that of success."""

from datetime import UTC, datetime

import pytest

from services.domain.call import Call, CallStatus
from ui.kit.tone import tone_of

THEN = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "answered", "tone"),
    [
        ("customer-ended-call", True, "finished"),
        ("assistant-forwarded-call", True, "finished"),
        ("manually-canceled", False, "cancelled"),
        ("customer-busy", False, "missed"),
        ("voicemail", True, "missed"),
        ("earshot-cancelled", False, "cancelled"),
        ("earshot-never-found", False, "cancelled"),
        ("call.in-progress.error-providerfault-openai-llm-failed", True, "trouble"),
        ("call.start.error-subscription-insufficient-credits", False, "trouble"),
        ("pipeline-error-openai-401-unauthorized", True, "trouble"),
        ("something-new", True, "cancelled"),
        (None, True, "cancelled"),
    ],
)
def test_the_tone_of_an_end(reason: str | None, answered: bool, tone: str) -> None:
    call = Call(id="1", status=CallStatus.ENDED, started_at=THEN if answered else None, ended_reason=reason)
    assert tone_of(call) == tone


def test_an_active_call_has_none() -> None:
    assert tone_of(Call(id="1", status=CallStatus.RINGING)) == ""
