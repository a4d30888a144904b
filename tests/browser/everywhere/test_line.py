"""A line that stalls or breaks, or keeps a dead connection open: in every browser. What was sent, heard, caught up and left out adds up."""

import time

import pytest

from tests.browser.everywhere.judged import assert_heard, missed
from tests.browser.everywhere.listener import EXACT_S, Listener

STALL_S = 2.0
SHOWN_S = 0.06  # a sentence has one digit after the point


def test_what_a_line_held_back_is_heard_later(listener: Listener) -> None:
    listener.dial()
    listener.listen(1)
    listener.network.hold()
    listener.until_state("gap", "reconnecting")
    time.sleep(STALL_S)
    listener.network.release()
    listener.until_state("playing", "catching-up")
    listener.listen(3)
    listener.end()
    figures = listener.told()
    assert figures.left_out == 0
    assert figures.gaps > STALL_S / 2
    assert_heard(listener, figures)


def test_a_connection_that_breaks_is_replaced_and_what_it_cost_is_told(listener: Listener) -> None:
    listener.dial()
    listener.listen(1)
    listener.network.cut()
    listener.listen(3)
    listener.end()
    figures = listener.told()
    assert figures.missed == pytest.approx(listener.network.lost(), abs=EXACT_S)
    assert len([each for each in listener.network.listenings if each.sound]) > 1
    assert_heard(listener, figures)


def test_a_connection_that_is_dead_but_open_is_replaced_and_what_it_cost_is_told(listener: Listener) -> None:
    listener.dial()
    listener.listen(1)
    listener.network.drop()
    listener.until_passed("reconnecting")
    listener.until_state("playing", "catching-up")
    listener.listen(3)
    listener.end()
    figures = listener.told()
    lost = listener.network.lost()
    assert lost > 1
    assert figures.missed == pytest.approx(lost, abs=EXACT_S)
    assert missed(listener) == pytest.approx(figures.left_out, abs=SHOWN_S)
    assert_heard(listener, figures)
