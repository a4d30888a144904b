"""Whether a word or phrase occurs in what was said, whatever its accents, case and inflection: English, German, Spanish, French. Pure."""

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_LANGUAGES = ("english", "german", "spanish", "french")
_SHORTEST_STEM = 3  # characters; shorter stems would not tell words apart
_LONGEST_WORD = 40  # characters; longer ones are no spoken words, and stemming time grows faster than length
_WORD = re.compile(r"[^\W_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "œ": "oe", "æ": "ae"})

Form = tuple[str, str]
"""A language and the stem of a word in it."""

_stemmers = threading.local()  # a stemmer has a state while it works


@lru_cache(maxsize=256)
def phrase(text: str) -> "Phrase":
    """The phrase of this text; the same object for the same text."""
    return Phrase(text)


class Phrase:
    """Words that occur one after another. Each is found in its other forms too: "cancel" in "cancelled", "Kündigung" in "kuendigen".

    A script that writes no spaces between words is compared letter by letter. A text without a letter or digit occurs nowhere.
    """

    def __init__(self, text: str) -> None:
        self._letters = plain(text).strip() if any(unicodedata.category(each) == "Lo" for each in text) else ""
        self._words = _words(text)

    def __bool__(self) -> bool:
        """True if there is something to look for."""
        return bool(self._words)

    def occurs_in(self, said: str) -> bool:
        if self._letters:
            return self._letters in plain(said)
        words, wanted = _words(said), self._words
        if not wanted:
            return False
        return any(self._begins(words[at : at + len(wanted)]) for at in range(len(words) - len(wanted) + 1))

    def _begins(self, words: list[str]) -> bool:
        """True if these words are the phrase: each is the same, or all that differ are inflected forms in one language."""
        languages: frozenset[str] = frozenset(_LANGUAGES)
        for word, wanted in zip(words, self._words, strict=True):
            if word != wanted:
                languages &= _common(word, wanted)
                if not languages:
                    return False
        return True


def plain(text: str) -> str:
    """`text` without accents and case."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).casefold()


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def _common(word: str, other: str) -> frozenset[str]:
    """The languages in which two words may be forms of the same one."""
    if _first(word) != _first(other):  # suffixes are what is stripped, so most words need no stemming
        return frozenset()
    return frozenset(language for language, _ in _forms(word) & _forms(other))


@lru_cache(maxsize=20_000)
def _first(word: str) -> str:
    return plain(word)[:1]


@lru_cache(maxsize=20_000)
def _forms(word: str) -> frozenset[Form]:
    """The stems of a word, also as somebody writes it without accents or umlauts."""
    written = {word, plain(word), word.translate(_UMLAUTS)}
    forms = {(language, plain(each)) for language in _LANGUAGES for each in written}
    if len(word) <= _LONGEST_WORD:
        for language in _LANGUAGES:
            stems = (plain(_stem(language)(each)) for each in written)
            forms.update((language, stem) for stem in stems if len(stem) >= _SHORTEST_STEM)
    return frozenset(forms)


def _stem(language: str) -> Callable[[str], str]:
    found: Callable[[str], str] | None = getattr(_stemmers, language, None)
    if found is None:
        import snowballstemmer  # 30 ms, which only an installation with a keyword needs

        found = snowballstemmer.stemmer(language).stemWord
        setattr(_stemmers, language, found)
    return found
