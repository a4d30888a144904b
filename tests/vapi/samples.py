"""Bodies as Vapi sends them (from OpenAPI and public code), with made-up values and every secret that they can contain."""

from typing import Any

API_KEY = "11111111-private-key"
PUBLIC_KEY = "22222222-public-key"
TAG = "0123456789abcdef0123456789abcdef"
HOST = "phone-call-websocket.aws-us-west-2-backend-production1.vapi.ai"

MONITOR = {"listenUrl": f"wss://{HOST}/secret-path/listen", "controlUrl": f"https://{HOST}/secret-path/control"}
SECRETS = (API_KEY, PUBLIC_KEY, "secret-path", "twilio-auth-secret", "twilio-api-secret", "server-header-secret", "credential-secret")

QUEUED: dict[str, Any] = {
    "subscriptionLimits": {"concurrencyBlocked": False, "concurrencyLimit": 10, "remainingConcurrentCalls": 9},
    "id": "019f3a10-0000-7000-8000-00000000abcd",
    "assistantId": "6d1f0000-0000-4000-8000-000000000001",
    "phoneNumberId": "1c9e0000-0000-4000-8000-000000000002",
    "type": "outboundPhoneCall",
    "createdAt": "2026-09-01T10:00:00.000Z",
    "updatedAt": "2026-09-01T10:00:00.000Z",
    "orgId": "0aa00000-0000-4000-8000-000000000003",
    "cost": 0,
    "customer": {"number": "+15550100002"},
    "status": "queued",
    "name": "Lead 42",
    "phoneCallProvider": "twilio",
    "phoneCallProviderId": "CA0123",
    "phoneCallTransport": "pstn",
    "assistantOverrides": {"metadata": {"earshotTag": TAG}, "server": {"headers": {"X-Key": "server-header-secret"}}},
    "monitor": MONITOR,
    "transport": {"provider": "twilio", "conversationType": "voice", "accountSid": "AC0", "callSid": "CA0"},
}
RINGING = {**QUEUED, "status": "ringing", "updatedAt": "2026-09-01T10:00:01.500Z"}
IN_PROGRESS = {**QUEUED, "status": "in-progress", "startedAt": "2026-09-01T10:00:05.250Z", "updatedAt": "2026-09-01T10:00:05.300Z"}
ENDED = {
    **IN_PROGRESS,
    "status": "ended",
    "endedAt": "2026-09-01T10:01:17.750Z",
    "endedReason": "customer-ended-call",
    "endedMessage": "Hung up.",
    "cost": 0.0712,
    "costBreakdown": {
        "transport": 0.01,
        "stt": 0.01,
        "llm": 0.002,
        "tts": 0.02,
        "vapi": 0.03,
        "chat": 0,
        "total": 0.0712,
        "ttsCharacters": 410,
    },
    "costs": [
        {"type": "transport", "minutes": 1.2, "cost": 0.01},
        {"type": "transcriber", "minutes": 1.2, "cost": 0.01},
        {"type": "model", "cost": 0.002},
        {"type": "voice", "cost": 0.02},
        {"type": "vapi", "subType": "normal", "cost": 0.03},
        {"type": "analysis"},
    ],
    "analysis": {"summary": "They agreed to meet.", "successEvaluation": "true", "structuredData": {}},
    "summary": "An older summary.",
    "artifact": {
        "transcript": "AI: Hello\nUser: Hi\n",
        "messages": [{"role": "bot", "message": "Hello", "time": 1788256801200.5, "endTime": 1788256803000, "secondsFromStart": 1.2}],
        "recordingUrl": "https://storage.vapi.ai/made-up-mono.wav",
    },
    "phoneNumber": {"twilioPhoneNumber": "+15550100001", "twilioAccountSid": "AC0", "twilioAuthToken": "twilio-auth-secret"},
}
BATCH = {"subscriptionLimits": {"concurrencyBlocked": True}, "results": [QUEUED], "errors": []}
MINIMAL = {"id": "call-1"}
INBOUND = {
    "id": "019f3a10-0000-7000-8000-00000000beef",
    "orgId": "0aa00000-0000-4000-8000-000000000003",
    "type": "inboundPhoneCall",
    "status": "forwarding",
    "createdAt": "2026-09-01T12:00:00+02:00",
    "updatedAt": "2026-09-01T12:00:09+02:00",
    "startedAt": "2026-09-01T12:00:02+02:00",
    "customer": {"number": "+15550100003", "name": "Dana", "sipUri": None},
    "phoneNumberId": "1c9e0000-0000-4000-8000-000000000002",
    "assistant": {"name": "Inline", "credentials": [{"provider": "openai", "apiKey": "credential-secret"}]},
}
WEB = {
    "id": "019f3a10-0000-7000-8000-00000000cafe",
    "orgId": "0aa00000-0000-4000-8000-000000000003",
    "type": "webCall",
    "status": "ended",
    "createdAt": "2026-09-01T10:00:00.123Z",
    "updatedAt": "2026-09-01T10:00:10.000Z",
    "startedAt": "2026-09-01T10:00:01.000Z",
    "endedAt": "2026-09-01T10:00:09.999Z",
    "endedReason": "some-reason-of-next-year",
    "webCallUrl": "https://rooms.example/made-up",
    "costBreakdown": {"transport": 0, "stt": 0.01, "total": 0.01},
    "customer": None,
}
CALLS = {
    "queued": QUEUED,
    "ringing": RINGING,
    "in-progress": IN_PROGRESS,
    "ended": ENDED,
    "batch": BATCH,
    "minimal": MINIMAL,
    "inbound": INBOUND,
    "web": WEB,
}

ASSISTANT = {
    "id": "6d1f0000-0000-4000-8000-000000000001",
    "orgId": "0aa00000-0000-4000-8000-000000000003",
    "name": "Receptionist",
    "server": {"url": "https://hooks.example", "headers": {"X-Key": "server-header-secret"}},
    "credentials": [{"provider": "openai", "apiKey": "credential-secret"}],
}
PHONE_NUMBER = {
    "id": "1c9e0000-0000-4000-8000-000000000002",
    "number": "+15550100001",
    "name": "Front desk",
    "provider": "twilio",
    "twilioAuthToken": "twilio-auth-secret",
    "twilioApiSecret": "twilio-api-secret",
}
