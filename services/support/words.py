"""Every text that people read, in each language: one file of the folder `words/` a language, read when it is first needed.

TOML, not gettext: a plural's forms carry their CLDR names, which the browser's `Intl.PluralRules` uses as well; nothing is compiled; and
Python reads it without another package.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale

FOLDER = Path(__file__).resolve().parents[2] / "words"
ENGLISH = "en"
"""The source language, and the one for readers of any other that has no file."""

Text = str | Mapping[str, str]
"""A text with placeholders such as `{number}`. One that depends on `{count}` has a form for each plural category of its language."""

_BY_CODE, _BY_SENTENCE = "faults", "sentences"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language: of the page and the login by key, of errors by code, of ended calls by the English sentence."""

    tag: str
    name: str
    texts: Mapping[str, Text]
    faults: Mapping[str, str]
    sentences: Mapping[str, str]

    def say(self, key: str, /, *, count: int | None = None, **values: str) -> str:
        """The text of `key` with its placeholders filled, in the form that fits `count`. Raises KeyError for an unknown key."""
        text = self.texts[key]
        if isinstance(text, str):
            return text.format(**values)
        if count is None:
            raise TypeError(f"{key} depends on a count")
        return form(self.tag, text, count).format(count=count, **values)

    def sentence(self, english: str) -> str:
        """`english` in this language; unchanged if nobody has translated it."""
        return self.sentences.get(english, english)


def form(tag: str, forms: Mapping[str, str], count: int) -> str:
    """The plural form for `count` by the rules of Unicode CLDR; `other` where a language's file leaves out a rare one."""
    return forms.get(Locale.parse(tag, sep="-").plural_form(count), forms["other"])


@cache
def languages() -> tuple[str, ...]:
    """The tags of all languages that have a file, such as `de`: English first, then by the alphabet."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda tag: (tag != ENGLISH, tag)))


@cache
def catalogue(tag: str) -> Catalogue:
    """The catalogue of one of `languages`. Raises ValueError if two of its sections use the same key."""
    content = tomllib.loads((FOLDER / f"{tag}.toml").read_text(encoding="utf-8"))
    name, faults, sentences = str(content.pop("name")), content.pop(_BY_CODE, {}), content.pop(_BY_SENTENCE, {})
    texts: dict[str, Text] = {}
    for section in content.values():
        if repeated := texts.keys() & section.keys():
            raise ValueError(f"{tag}.toml has these keys twice: {', '.join(sorted(repeated))}")
        texts |= section
    return Catalogue(tag, name, texts, faults, sentences)
