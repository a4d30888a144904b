"""A line that stalls or breaks, or keeps a dead connection open: in every browser. What was sent, heard, caught up and left out adds up."""

import time

import pytest

from tests.browser.everywhere.judged import assert_heard, assert_told
from tests.browser.everywhere.listener import EXACT_S, Figures, Listener

STALL_S = 2.0


def test_a_dead_connection_a_stall_and_a_break_lose_no_more_than_the_line_did(listener: Listener) -> None:
    """All in one call, since it is the loading of the page and the dialling that take long."""
    listener.dial()
    listener.listen(1)
    after_death = a_dead_connection_is_replaced_and_what_it_cost_is_told(listener)
    after_stall = what_a_line_held_back_is_heard_later(listener, after_death)

    # a connection that breaks is replaced
    with_sound = listener.network.with_sound()
    listener.network.cut()
    listener.listen(2)
    listener.end()
    figures = listener.told()
    assert figures.missed == pytest.approx(listener.network.lost(), abs=EXACT_S)
    assert listener.network.with_sound() > with_sound
    assert_heard(listener, figures, after_stall)


def a_dead_connection_is_replaced_and_what_it_cost_is_told(listener: Listener) -> Figures:
    listener.network.drop()  # it stays open
    listener.until_passed("reconnecting")
    listener.until_state("playing", "catching-up")
    figures = listener.listen(3)
    lost = listener.network.lost()
    assert lost > 1
    assert figures.missed == pytest.approx(lost, abs=EXACT_S)
    assert_told(listener, "the connection was lost", figures)
    assert_heard(listener, figures)
    return figures


def what_a_line_held_back_is_heard_later(listener: Listener, before: Figures) -> Figures:
    listener.network.hold()
    listener.until_state("gap", "reconnecting")
    time.sleep(STALL_S)
    listener.network.release()
    listener.until_state("playing", "catching-up")
    figures = listener.listen(3)
    assert figures.left_out == before.left_out
    assert figures.gaps - before.gaps > STALL_S / 2
    assert_heard(listener, figures, before)
    return figures
