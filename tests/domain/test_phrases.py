"""What is taken for the same word: other accents, case and inflection, but not another word."""

import asyncio
import re

import pytest

from services.domain.phrases import Phrase, phrase


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("cancel", "I've CANCELLED it already."),
        ("cancel", "What about cancellations?"),
        ("refund", "Are there refunds"),
        ("Kündigung", "Ich möchte kündigen."),
        ("kuendigen", "Die Kündigung liegt bei."),
        ("kundigung", "Ich will kündigen"),
        ("soeur", "Ma sœur appelle"),
        ("Straße", "in der STRASSE"),
        ("cancelación", "quiero cancelar"),
        ("cancelacion", "La cancelación, por favor"),
        ("rembourser", "un remboursement, s’il vous plaît"),
        ("abonnement", "C'est l’abonnement"),
        ("e\u0301te\u0301", "cet été"),
        ("speak to a manager", "Let me speak to a manager!"),
        ("talk to manager", "I talked to managers"),
        ("don't call", "Please don’t call again"),
        ("24 7", "open 24/7"),
        ("$100", "That is 100 dollars"),
        ("取消", "我要取消订单"),
        ("отмена", "ОТМЕНА заказа"),
        ("a", "It is a dog"),
    ],
)
def test_a_phrase_is_found_in_other_forms(wanted: str, said: str) -> None:
    assert Phrase(wanted).occurs_in(said)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("cancel", "the cancer research"),
        ("cancel", "Ca ncel"),
        ("refund", "found"),
        ("speak to a manager", "speak to the manager"),
        ("speak to a manager", "to a manager I speak"),
        ("manager today", "the manager"),
        ("a", "banana"),
        (".*", "anything"),
        ("c.ncel", "cancel"),
        ("取消", "我要订单"),
        ("cancel", ""),
    ],
)
def test_another_word_is_not_found(wanted: str, said: str) -> None:
    assert not Phrase(wanted).occurs_in(said)


@pytest.mark.parametrize("text", ["", " ", "?!", "...", "\u200b", "_", "\u0301"])
def test_a_text_without_words_is_none(text: str) -> None:
    assert not Phrase(text)
    assert not Phrase(text).occurs_in("anything? ... _")


@pytest.mark.parametrize("wanted", ["(a+)+$", "[", "<b>cancel</b>", "\\", "a" * 100, "ة" * 100, "é" * 100, "\ud800x"])
def test_odd_texts_are_words_like_any_other(wanted: str) -> None:
    assert Phrase(wanted).occurs_in(f"well, {wanted} then") is bool(re.search(r"\w", wanted))
    assert not Phrase(wanted).occurs_in("a" * 99 + "b " + "b" * 10_000)


@pytest.mark.slow
async def test_several_threads_stem_at_once() -> None:
    said = " ".join(f"cancelled{number} refunds{number}" for number in range(200))

    def found(number: int) -> bool:
        return Phrase(f"refund{number}").occurs_in(said) or Phrase("kündigungen").occurs_in("gekündigt kündigung")

    assert all(await asyncio.gather(*(asyncio.to_thread(found, number) for number in range(16))))


def test_a_phrase_is_prepared_once() -> None:
    assert phrase("cancel") is phrase("cancel")
