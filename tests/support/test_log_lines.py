"""Log lines: one a record, whatever strangers put into them, and the ids of the request and the call on them."""

import asyncio
import json
import logging
import sys
from typing import Any

import pytest

from services.support.log_lines import JsonLines, Logfmt, about, logged_request

FORMATTERS = [Logfmt(), JsonLines()]
HOSTILE = ["a\nb", "a\rb", "a\x1b[2Kb", "a\u2028b", "a\x85b", "a\0b"]


def record(message: str = "%s", **fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "name": "here", "levelname": "INFO", **fields})


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("sent", HOSTILE)
def test_what_a_stranger_sent_begins_no_line_and_steers_no_terminal(formatter: logging.Formatter, sent: str) -> None:
    with logged_request("r1", call_id=sent):
        line = formatter.format(record(args=(sent,)))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


@pytest.mark.parametrize("sent", [*HOSTILE, 'a" level="b'])
def test_json_says_what_was_sent(sent: str) -> None:
    fields = json.loads(JsonLines().format(record(args=(sent,))))
    assert fields["message"] == sent
    assert (fields["level"], fields["logger"]) == ("info", "here")


def test_a_quote_ends_neither_the_message_nor_an_id() -> None:
    with logged_request("r1", call_id='c" level="x'):
        line = Logfmt().format(record('a" level="b'))
    assert line.endswith('message="a\\" level=\\"b" request=r1 call="c\\" level=\\"x"')


@pytest.mark.parametrize("formatter", FORMATTERS)
async def test_a_line_names_the_request_and_the_call_also_from_a_task_of_the_request(formatter: logging.Formatter) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return formatter.format(record("x"))

    with logged_request("r1", "c1"):
        task = asyncio.create_task(later())
    for line in (await task,):
        assert "r1" in line
        assert "c1" in line
    assert "r1" not in formatter.format(record("x"))


def test_a_record_about_another_call_names_that_one() -> None:
    with logged_request("r1", "c1"):
        fields = json.loads(JsonLines().format(record("x", **about("c2"))))
    assert (fields["request"], fields["call"]) == ("r1", "c2")


@pytest.mark.parametrize("sent", [*HOSTILE, "a\ntime=2026-01-01T00:00:00Z level=info"])
def test_a_traceback_that_quotes_a_stranger_is_indented_and_steers_no_terminal(sent: str) -> None:
    try:
        raise ValueError(sent)
    except ValueError:
        first, *below = Logfmt().format(record("x", exc_info=sys.exc_info())).splitlines()
    assert 'message="x"' in first
    assert below[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") and line.isprintable() for line in below)


def test_a_traceback_is_a_field_of_its_line() -> None:
    try:
        raise ValueError("broken\nhere")
    except ValueError:
        line = JsonLines().format(record("x", exc_info=sys.exc_info()))
    assert len(line.splitlines()) == 1
    assert "ValueError: broken\nhere" in json.loads(line)["traceback"]
