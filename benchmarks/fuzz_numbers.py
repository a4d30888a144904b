"""Throws strings at the rules for what may be reached by telephone; nothing that passes may be, or begin with, a refused number.

python -m benchmarks.fuzz_numbers --strings 1000000 --seed 1      random strings, made from refused and ordinary numbers
python -m benchmarks.fuzz_numbers --atheris -max_total_time=300   guided by coverage; needs benchmarks/requirements-fuzz.txt

The judge is tests/dialling/oracle.py, which uses libphonenumber and none of Earshot's own rules.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import phonenumbers

from services.dialling.reach import Reach
from services.domain.errors import EarshotError
from tests.dialling.oracle import is_refused_kind, must_not_ring, refused_examples

HOST = "pbx.example"
REACH = Reach(sip_hosts={HOST})
REFUSED = [e164 for _, e164 in refused_examples()]
CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
BEFORE = ["+", "+", "+", "+", "00", "+00", "011", "++", "9+", "tel:+", " +", "\uff0b", "+(0)", ""]
INSIDE = ["", "", "", "", "0", "00", "011", "1", "8", "9", "01", "06", "110", "112", "911", "900", "(0)"]
SEPARATORS = ["", "", "", "", "", " ", "-", ".", "(", ")", "/", "\u00a0", "\u200b", "_", "~", "\u0660"]
AFTER = ["", "", "", "", " ", "#1", ";ext=1", "x5", ",", "*", "%20", ";phone-context=+1", "@", "p"]


class Passed(Exception):
    """A string that should have been refused."""


def made(chance: random.Random) -> str:
    """A refused number, or digits of any country, with more, less or other digits, in some dress."""
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
    digits = code + inside + national + more
    if chance.random() < 0.4:
        digits = "".join(digit + chance.choice(SEPARATORS) for digit in digits)
    return chance.choice(BEFORE) + digits + chance.choice(AFTER)


def judge(text: str, count: Counter[str]) -> None:
    """Tries a string by every way to a telephone. Raises Passed."""
    ways: dict[str, Callable[[], str]] = {
        "dialled": lambda: REACH.number(text).e164,
        "dialled once confirmed": lambda: REACH.number(text, unlikely=True).e164,
        "transferred to": lambda: REACH.destination(text).address,
        "transferred to by SIP": lambda: REACH.destination(f"sip:{text}@{HOST}").address.removeprefix("sip:").partition("@")[0],
    }
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


def run(strings: int, seed: int) -> None:
    chance, count, started = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311
    for done in range(1, strings + 1):
        judge(made(chance), count)
        if done % 100_000 == 0:
            print(f"{done:,} strings in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{strings:,} strings, seed {seed}: no refused number passed. Passed: {dict(count)}")


def run_guided(arguments: list[str]) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    atheris.instrument_all()
    count = Counter[str]()

    def one(data: bytes) -> None:
        judge(data.decode("utf-8", "ignore"), count)

    atheris.Setup([sys.argv[0], "-only_ascii=0", "-max_len=80", *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--strings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    known, rest = parser.parse_known_args()
    run_guided(rest) if known.atheris else run(known.strings, known.seed)
