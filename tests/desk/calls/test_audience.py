"""Who listens to a call."""

import pytest

from services.desk.calls.audience import Audience


def test_listeners_are_named_as_often_as_they_listen_and_gone_when_they_leave() -> None:
    audience = Audience()
    changed: list[str] = []
    audience.changed.subscribe(changed.append)
    assert audience.of("c1") == {}
    with audience.listening("c1", "Anna"), audience.listening("c1", "Ben"):
        with audience.listening("c1", "Anna"), audience.listening("c2", "Cem"):
            assert audience.of("c1") == {"Anna": 2, "Ben": 1}
            assert audience.of("c2") == {"Cem": 1}
        assert audience.of("c1") == {"Anna": 1, "Ben": 1}
    assert audience.of("c1") == audience.of("c2") == {}
    assert changed == ["c1", "c1", "c1", "c2", "c2", "c1", "c1", "c1"]


def test_whoever_fails_has_left() -> None:
    audience = Audience()
    with pytest.raises(RuntimeError), audience.listening("c1", "Anna"):
        raise RuntimeError
    assert audience.of("c1") == {}
