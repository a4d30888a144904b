"""Which variables of an assistant's texts are offered as fields."""

from typing import Any

import pytest

from services.vapi.reading import read_assistant, read_squad
from services.vapi.template_variables import MOST


def variables(body: Any) -> tuple[str, ...]:
    assistant = read_assistant({"id": "one", **body})
    assert assistant
    return assistant.variables


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi {{name}}, it is {{ day_of_week }}.", ("name", "day_of_week")),
        ("{{ name }} {{name}} {{- city -}}", ("name", "city")),
        ('Hi {{ name | default: "there" | upcase }}', ("name",)),
        ("{{customer.name}} {{customer.number}} {{ now }} {{date}} {{time}}", ()),
        ('{{"now" | date: "%b %d, %Y"}} {{ 7 }} {{}} {{ }} {name} {{{', ()),
        ("{% for item in items %}{{ item }}{% endfor %}{% assign total = 3 %}{{total}}{{ rest }}", ("rest",)),
        ("{{ order.id }} {{ _id }} {{ größe }}", ("_id", "größe")),
        ("{{" + "x" * 65 + "}} {{" + "y" * 64 + "}}", ("y" * 64,)),
    ],
)
def test_names_that_somebody_has_to_fill(text: str, found: tuple[str, ...]) -> None:
    assert variables({"firstMessage": text}) == found
    assert variables({"model": {"messages": [{"role": "system", "content": text}]}}) == found


def test_the_first_message_comes_first_and_there_is_an_end() -> None:
    prompt = " ".join(f"{{{{v{number}}}}}" for number in range(100))
    found = variables({"firstMessage": "{{name}}", "model": {"messages": [{"content": prompt}]}, "endCallMessage": "{{bye}}"})
    assert found[:2] == ("name", "v0")
    assert len(found) == MOST


@pytest.mark.parametrize("odd", [None, 7, [], {}, "\ud83d{{a}}", ["{{a}}"], {"messages": "{{a}}"}, {"messages": [None, {"content": 7}]}])
def test_odd_bodies_never_raise(odd: Any) -> None:
    for name in ("firstMessage", "model", "voicemailMessage"):
        assert variables({name: odd}) in ((), ("a",))
    for members in (odd, [odd], [{"assistant": odd}]):
        assert read_squad({"id": "s", "members": members}) is not None


def test_a_long_text_takes_no_time_worth_mentioning() -> None:
    assert variables({"firstMessage": "{{ " * 500_000}) == ()
    assert variables({"firstMessage": "{{a" + " " * 1_000_000}) == ()


def test_a_squad_has_its_members_and_what_only_it_asks_for() -> None:
    members = [{"assistantId": "a"}, {"assistant": {"firstMessage": "Hi {{name}}"}}, {"assistantId": 7}]
    squad = read_squad({"id": "s", "name": "Front office", "members": members})
    assert squad
    assert (squad.name, squad.members, squad.variables) == ("Front office", ("a",), ("name",))
    assert read_squad({"name": "no id"}) is None
