"""Makes strings that may mean a refused number, and tries each by every way to a telephone. Its judge is the oracle."""

import random
from collections import Counter
from collections.abc import Callable

import phonenumbers

from services.dialling.reach import Reach
from services.domain.errors import EarshotError
from services.domain.pasted_number import number_in, number_in_address
from tests.dialling.dresses import dressed
from tests.dialling.oracle import is_refused_kind, must_not_ring, refused_examples

HOST = "pbx.example"
REACH = Reach(sip_hosts={HOST})
REFUSED = [e164 for _, e164 in refused_examples()]
CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
INSIDE = ["", "", "", "", "0", "00", "011", "1", "8", "9", "01", "06", "110", "112", "911", "900", "(0)"]


class Passed(Exception):
    """A string that should have been refused."""


def made(chance: random.Random) -> str:
    """A refused number, or digits of any country, with more, less or other digits, in some dress (tests/dialling/dresses.py)."""
    if chance.random() < 0.7:
        number = chance.choice(REFUSED)[1:]
        code = next(number[:length] for length in (1, 2, 3) if number[:length] in CODES)
        national = number[len(code) :]
    else:
        code = chance.choice(CODES)
        national = "".join(chance.choices("0123456789", k=chance.randint(2, 12)))
    inside = chance.choice([*INSIDE, code, f"00{code}"])
    national = national[: len(national) - chance.choice([0, 0, 0, 1, 2, 3, 5])]
    if national and chance.random() < 0.2:
        place = chance.randrange(len(national))
        national = national[:place] + str(chance.randint(0, 9)) + national[place + chance.randint(0, 1) :]
    more = "".join(chance.choices("0123456789", k=chance.choice([0, 0, 1, 1, 2, 3, 4])))
    return dressed(chance, code, inside + national + more)


def judge(text: str, count: Counter[str], *, all_ways: bool = True) -> None:
    """Tries a string by every way to a telephone, or only by the two with the widest rules, which takes a third of the time.

    Raises Passed.
    """
    ways: dict[str, Callable[[], str]] = {
        "dialled once confirmed": lambda: REACH.number(text, unlikely=True).e164,
        "transferred to by SIP": lambda: REACH.destination(f"sip:{text}@{HOST}").address.removeprefix("sip:").partition("@")[0],
    }
    if all_ways:
        ways["dialled"] = lambda: REACH.number(text).e164
        ways["transferred to"] = lambda: REACH.destination(text).address
        ways["dialled from pasted text"] = lambda: REACH.number(number_in(text), unlikely=True).e164
        ways["dialled from a link"] = lambda: REACH.number(number_in_address(text), unlikely=True).e164
    for way, reach in ways.items():
        try:
            reached = reach()
        except EarshotError:
            continue
        count[way] += 1
        digits = "".join(filter(str.isdecimal, reached))
        if reached.startswith("+"):
            if must_not_ring(reached):
                raise Passed(f"{text!r} was {way}: {reached}")
        elif (
            len(digits) > 6
            or is_refused_kind(f"+{digits}")
            or any(digits.removeprefix(line).startswith(("911", "112")) for line in ("", *"019"))
        ):
            raise Passed(f"{text!r} was {way}: {reached}")
