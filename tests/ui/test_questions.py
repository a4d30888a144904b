"""What the user has said yes to: one question about one number, and one dial."""

from collections.abc import Callable

import pytest

from ui.dial.questions import Questions


def test_a_yes_is_only_for_the_question_that_is_shown() -> None:
    questions = Questions()
    assert not questions.agree("")
    questions.about("+491701234567")
    questions.ask("number_guessed")
    shown = questions.shown
    questions.ask("number_unlikely")
    assert not questions.agree(shown)
    questions.about("+431701234567")
    questions.ask("number_guessed")
    assert not questions.agree(shown)
    assert not questions.agreed("number_guessed")
    assert questions.agree(questions.shown)
    assert questions.agreed("number_guessed")


@pytest.mark.parametrize(
    "end",
    [
        lambda questions: questions.about("+14155552672"),
        lambda questions: questions.about("+14155552671", "another assistant"),
        Questions.forget,
    ],
)
def test_answers_end_with_the_number_and_with_the_dial(end: Callable[[Questions], None]) -> None:
    questions = Questions()
    questions.about("+14155552671")
    questions.ask("duplicate_recent_call")
    assert questions.agree(questions.shown)
    end(questions)
    assert not questions.shown
    assert not questions.agreed("duplicate_recent_call")


def test_a_number_is_the_same_however_it_is_grouped() -> None:
    questions = Questions()
    questions.about("+1 415 055 2671")
    questions.ask("number_unlikely")
    shown = questions.shown
    questions.about("+1 415-055-2671")  # the field has grouped it since the press that asked
    assert questions.agree(shown)
    assert questions.agreed("number_unlikely")


def test_a_question_may_have_two_answers_of_which_one_is_given() -> None:
    questions = Questions()
    questions.about("+4930901820")
    questions.ask("recording_consent_needed", "unrecorded")
    assert questions.agree(questions.shown_other)
    assert questions.agreed("unrecorded")
    assert not questions.agreed("recording_consent_needed")
    questions.ask("duplicate_recent_call")
    assert not questions.shown_other
    assert not questions.agree("unrecorded +4930901820")
