"""Log lines: one a record, whatever strangers put into them."""

import logging

import pytest

from services.support.logfmt import Logfmt


@pytest.mark.parametrize("sent", ["a\nb", "a\rb", "a\x1b[2Kb", "a\u2028b", "a\x85b", "a\0b"])
def test_what_a_stranger_sent_begins_no_line_and_steers_no_terminal(sent: str) -> None:
    line = Logfmt().format(logging.makeLogRecord({"msg": "%s", "args": (sent,), "name": "here"}))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert line.endswith('b"')


def test_a_quote_does_not_end_the_message() -> None:
    assert Logfmt().format(logging.makeLogRecord({"msg": 'a" level="b'})).endswith('message="a\\" level=\\"b"')
