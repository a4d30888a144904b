"""Turns of who spoke when, without any sound. One character is 100 ms; the customer's line is above the assistant's."""

import pytest

from services.measures.floor import Floor
from services.measures.turns import Stretch, Taken, taken

CUSTOMER, ASSISTANT = 0, 1


def stretches(line: str) -> list[Stretch]:
    found = []
    for at, mark in enumerate(line):
        if mark == "-" and (at == 0 or line[at - 1] != "-"):
            end = next((number for number in range(at, len(line)) if line[number] != "-"), len(line))
            found.append(Stretch(at / 10, end / 10))
    return found


def turns_of(customer: str, assistant: str) -> Taken:
    return taken((stretches(customer), stretches(assistant)))


def spans(found: Taken) -> list[tuple[int, float, float]]:
    return [(turn.channel, turn.start, turn.end) for turn in found.turns]


def test_an_answer() -> None:
    found = turns_of(
        "                 ----------",
        "-----------  -             ",
    )
    assert spans(found) == [(ASSISTANT, 0, 1.4), (CUSTOMER, 1.7, 2.7)]
    assert [turn.response_s for turn in found.turns] == [None, pytest.approx(0.3)]


def test_a_short_answer_between_two_turns() -> None:
    found = turns_of(
        "              ----            ",
        "-----------         ----------",
    )
    assert [turn.channel for turn in found.turns] == [ASSISTANT, CUSTOMER, ASSISTANT]
    assert not found.backchannels
    assert [turn.response_s for turn in found.turns] == [None, pytest.approx(0.3), pytest.approx(0.2)]


def test_an_interruption_ends_the_others_turn() -> None:
    found = turns_of(
        "          --  ---------------",
        "--------------               ",
    )
    assert [(turn.channel, turn.interrupts, turn.response_s) for turn in found.turns] == [(ASSISTANT, False, None), (CUSTOMER, True, None)]


@pytest.mark.parametrize("pause", ["-", " "])
def test_a_backchannel_ends_no_turn(pause: str) -> None:
    found = turns_of(
        "          -----              ",
        f"-------------{pause * 6}----------",
    )
    assert spans(found) == [(ASSISTANT, 0, 2.9)]
    assert [(one.channel, one.start) for one in found.backchannels] == [(CUSTOMER, 1.0)]


def test_an_answer_soon_after_a_backchannel_is_a_turn_of_its_own() -> None:
    found = turns_of(
        "     ---       ---------------",
        "-------------                 ",
    )
    assert spans(found) == [(ASSISTANT, 0, 1.3), (CUSTOMER, 1.5, 3.0)]
    assert found.turns[1].response_s == pytest.approx(0.2)


def test_speaking_over_somebody_who_goes_on_interrupts_nobody() -> None:
    found = turns_of(
        "     ------------            ",
        "-----------------------------",
    )
    assert [(turn.channel, turn.interrupts) for turn in found.turns] == [(ASSISTANT, False), (CUSTOMER, False)]


def test_a_quick_answer_is_no_interruption() -> None:
    found = turns_of("            -----------", "-------------")
    assert [(turn.interrupts, turn.response_s) for turn in found.turns] == [(False, None), (False, pytest.approx(-0.1))]


def test_a_long_pause_ends_a_turn_and_is_no_response() -> None:
    found = turns_of("", "----------           ----- ")
    assert spans(found) == [(ASSISTANT, 0, 1.0), (ASSISTANT, 2.1, 2.6)]
    assert found.turns[1].response_s is None


def test_who_begins_with_the_other_after_a_pause_does_not_end_the_others_turn() -> None:
    """Nobody reacts within 200 ms."""
    found = turns_of(
        "                ---------------",
        "----------       ------        ",
    )
    assert spans(found) == [(ASSISTANT, 0, 2.3), (CUSTOMER, 1.6, 3.1)]
    assert found.turns[1].interrupts


def test_settling_changes_nothing() -> None:
    customer = "   ---     ------  --          ---           -----      --   ----        -----     ---" * 4
    assistant = "------- --          --------- --  -----             ----    --    --------      --     " * 4
    floor = Floor()
    ordered = sorted([(one, 0) for one in stretches(customer)] + [(one, 1) for one in stretches(assistant)], key=lambda one: one[0].end)
    for number, (stretch, channel) in enumerate(ordered):
        floor.add(channel, stretch)
        floor.settle(min((later.start for later, _ in ordered[number + 1 :]), default=99))

    found = floor.conversation(40)

    assert len(floor._settled.turns) > 8
    expected = turns_of(customer, assistant)
    assert list(found.turns) == list(expected.turns)
    assert list(found.backchannels) == list(expected.backchannels)
    assert found.talk_s == pytest.approx((customer.count("-") / 10, assistant.count("-") / 10))
    overlap = sum(one == other == "-" for one, other in zip(customer, assistant, strict=False)) / 10
    assert found.overlap_s == pytest.approx(overlap)


def test_a_silence_is_told_while_it_lasts_and_missing_sound_is_none() -> None:
    floor = Floor(missing=[Stretch(12, 20)])
    floor.add(0, Stretch(3.2, 5))
    assert floor.conversation(9).silences == (Stretch(0, 3.2), Stretch(5, 9))
    assert floor.conversation(21).silences == (Stretch(0, 3.2), Stretch(5, 12))
