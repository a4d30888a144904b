"""The names of clients, as people say them."""

from services.dialling.switch import FILE
from services.domain.client import LOCAL, PAGE
from ui.words import say


def who_name(who: str) -> str:
    """`someone on this page`; an API token by its own name."""
    return say(f"who_{who}") if who in (PAGE.name, LOCAL.name, FILE) else who
