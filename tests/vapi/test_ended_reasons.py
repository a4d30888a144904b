"""Every code that the SDK lists has a sentence; unknown codes are shown unchanged."""

import string
from typing import get_args

import pytest
from vapi.types.call_ended_reason import CallEndedReason

from services.domain.call import OWN_REASONS
from services.vapi.ended_reasons import Family, explain
from services.vapi.ended_sentences import SENTENCES

CODES: tuple[str, ...] = get_args(get_args(CallEndedReason)[0])


def test_every_code_of_the_sdk_is_explained() -> None:
    assert len(CODES) > 600
    for code in CODES:
        reason = explain(code)
        assert reason.code == code
        assert reason.family is not Family.UNKNOWN, code
        assert reason.title != code
        assert len(reason.title) <= 60
        for sentence in (reason.title, *filter(None, [reason.next_step])):
            assert sentence[0] in string.ascii_uppercase + "x", (code, sentence)  # xAI
            assert sentence.endswith("."), (code, sentence)
            assert "{" not in sentence
        assert reason.next_step or reason.family in (Family.FINISHED, Family.CANCELLED, Family.HOOK, Family.TRANSFER, Family.SETUP), code


def test_every_sentence_belongs_to_a_code_of_the_sdk() -> None:
    assert SENTENCES.keys() - OWN_REASONS - UNLISTED <= set(CODES)
    assert UNLISTED.isdisjoint(CODES), "now listed: no exception any more"


UNLISTED = {"call.start.error-get-org", "call.start.error-get-subscription", "pipeline-no-available-llm-model", "assistant-error"}
"""In Vapi's documentation and in no list."""


@pytest.mark.parametrize(
    ("code", "family", "advice"),
    [
        ("call.start.error-get-org", Family.ACCOUNT, "VAPI_API_KEY"),
        ("call.start.error-get-subscription", Family.ACCOUNT, "support"),
        ("call.start.error-subscription-wallet-does-not-exist", Family.ACCOUNT, "support"),
        ("call.in-progress.error-wallet-does-not-exist", Family.ACCOUNT, "support"),
        ("pipeline-no-available-llm-model", Family.SETUP, "model"),
        ("call.in-progress.error-vapifault-no-available-llm-model", Family.VAPI, "support"),
        ("assistant-error", Family.SETUP, "assistant"),
        # The documentation's rules for the forms of codes, with codes that may come tomorrow.
        ("call.in-progress.error-vapifault-newcomer-died", Family.VAPI, "support"),
        ("call.in-progress.error-providerfault-newcomer-500-server-error", Family.PROVIDER, "provider"),
        ("pipeline-error-newcomer-429-exceeded-quota", Family.PROVIDER, "quota"),
        ("call.start.error-get-newcomer", Family.SETUP, "dashboard"),
        ("call.in-progress.error-warm-transfer-newcomer", Family.TRANSFER, "transfer"),
        ("assistant-request-returned-newcomer", Family.SETUP, "dashboard"),
        ("call.in-progress.error-providerfault-outbound-sip-488-newcomer", Family.NOT_REACHED, "number"),
    ],
)
def test_the_documentations_advice(code: str, family: Family, advice: str) -> None:
    reason = explain(code)
    assert reason.family is family
    assert advice in reason.next_step


@pytest.mark.parametrize(
    ("code", "title", "next_step", "family"),
    [
        ("customer-ended-call", "Customer hung up.", "", Family.FINISHED),
        ("assistant-ended-call", "Assistant ended the call.", "", Family.FINISHED),
        ("manually-canceled", "You ended the call.", "", Family.FINISHED),
        ("customer-ended-call-during-transfer", "Customer hung up during the transfer.", "", Family.FINISHED),
        ("customer-busy", "The line was busy.", "Try again later.", Family.NOT_REACHED),
        ("customer-did-not-answer", "No answer.", "Try again later.", Family.NOT_REACHED),
        ("call.ringing.hook-executed-transfer", "A hook transferred the call.", "", Family.HOOK),
        (
            "call.start.error-subscription-insufficient-credits",
            "The Vapi balance is used up.",
            "Add credit in the Vapi dashboard.",
            Family.ACCOUNT,
        ),
        (
            "pipeline-error-openai-401-unauthorized",
            "OpenAI did not accept the key.",
            "Check the OpenAI key in the Vapi dashboard.",
            Family.PROVIDER,
        ),
        (
            "pipeline-error-azure-openai-503-server-overloaded-error",
            "Azure OpenAI had an outage.",
            "Try again. If it happens again, choose another provider for this part of the assistant.",
            Family.PROVIDER,
        ),
        (
            "call.in-progress.error-vapifault-eleven-labs-quota-exceeded",
            "The ElevenLabs quota is used up.",
            "The fault is Vapi's. Try again; if it happens again, give Vapi's support the call id.",
            Family.VAPI,
        ),
    ],
)
def test_some_examples(code: str, title: str, next_step: str, family: Family) -> None:
    reason = explain(code)
    assert (reason.title, reason.next_step, reason.family) == (title, next_step, family)


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("pipeline-error-newcomer-500-server-error", Family.PROVIDER),
        ("call.in-progress.error-vapifault-new-thing", Family.VAPI),
        ("call.start.error-subscription-new-thing", Family.ACCOUNT),
        ("call.start.error-new-thing", Family.SETUP),
        ("something-else", Family.UNKNOWN),
        ("{name}", Family.UNKNOWN),
    ],
)
def test_an_unknown_code_is_shown_unchanged(code: str, family: Family) -> None:
    reason = explain(code)
    assert (reason.title, reason.family) == (code, family)
    assert bool(reason.next_step) is (family is not Family.UNKNOWN)


@pytest.mark.parametrize("code", [None, ""])
def test_a_missing_code(code: str | None) -> None:
    assert explain(code).title == "The call ended."
    assert explain(code).family is Family.UNKNOWN


def test_vapis_message_is_added_after_a_failure() -> None:
    assert explain("customer-ended-call", "noise").next_step == ""
    assert explain("something-else", " No\n route. ").next_step == "Vapi says: No route."
    assert explain("customer-busy", "486").next_step == "Try again later. Vapi says: 486"
    assert len(explain("something-else", "x" * 9999).next_step) < 400
