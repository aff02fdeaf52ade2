"""The normalisations of words: how a text is cut into words, and the form that is looked up.

A version is read for ever as it was trained, so a normalisation never changes once versions use it.
Better rules get the next number. The tokenizer's file names the number.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from models.scripts import UNSPACED_SYLLABLES

# Blocks of accents, vowel signs and joiners: not \w for Python, but part of a word for readers.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0f71-\u0f87\u1000-\u109f\u17b4-\u17d3"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe20-\ufe2f"
)
_SYMBOL = "\u2190-\u2bff\U0001f000-\U0001faff"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"


@dataclass(frozen=True)
class Normalization:
    """One normalisation.

    Args:
        number: Its number in the tokenizer's file.
        description: What it does, for a model card.
        pattern: Regular expression that finds the words of a text. Every repetition is bounded, and
            so is a word. A stream never holds back more than one word.
        ascii_pattern: Finds the same in a text of ASCII alone, in half the time.
        drop: Returns a word or a text without the characters that are not read.
        fold: Returns it, after `drop`, in the form for lookups.
    """

    number: int
    description: str
    pattern: str
    ascii_pattern: str
    drop: Callable[[str], str]
    fold: Callable[[str], str]

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The pattern, compiled."""
        return re.compile(self.pattern)

    @cached_property
    def _ascii_expression(self) -> re.Pattern[str]:
        return re.compile(self.ascii_pattern)

    def find_words(self, text: str) -> list[str]:
        """Return the words of a text as they are written."""
        found = self._ascii_expression if text.isascii() else self.expression
        words: list[str] = found.findall(text)
        return words

    def normalize(self, word: str) -> str:
        """Return a word, or a whole text, in the form for lookups."""
        return self.fold(self.drop(word))


_ASCII_PATTERN = r"[A-Za-z0-9]{1,64}(?:'[A-Za-z0-9]{1,64}){0,8}|\S"

# Normalisation 1


_LETTER_1 = r"[^\W_]"
_PATTERN_1 = (
    # a word or number, with accents and inner apostrophes: naïve, don't, mp3
    rf"{_LETTER_1}{{1,64}}(?:[{_MARKS}]{{1,8}}{_LETTER_1}{{0,64}}|['’]{_LETTER_1}{{1,64}}){{0,8}}"
    # a flag
    f"|{_FLAG}"
    # an emoji with skin tone or variant, joined to others
    rf"|[{_SYMBOL}](?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d[{_SYMBOL}]){{0,16}}"
    # anything else that is not space, one character at a time
    r"|[^\w\s]|_"
)


def _keep_all(word: str) -> str:
    return word


def _fold_1(word: str) -> str:
    lower = unicodedata.normalize("NFKC", word).lower()
    return unicodedata.normalize("NFKC", lower).replace("’", "'")


# Normalisation 2


# Hyphens, joiners, marks of direction and of glyph variants that no reader sees.
_UNSEEN = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff"
    "\U000e0100-\U000e01ef"
)
_EMOJI_STYLE = "\ufe0f"
_SKIN = "\U0001f3fb-\U0001f3ff"
_TAGS = "\U000e0020-\U000e007f"  # spell a region after a black flag
_JOINERS = "\u200c\u200d"
_ZERO_WIDTH_SPACE = "\u200b"
_INVISIBLE = _UNSEEN + _EMOJI_STYLE + _TAGS + _JOINERS + _ZERO_WIDTH_SPACE
# Arabic, Indic and other scripts whose words are spelled with joiners.
_JOINED_SCRIPTS = (
    "\u0600-\u109f\u1700-\u1cff\ua800-\ua8ff\ua980-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff"
)
_OKINA, _APOSTROPHE = "\u02bb", "\u02bc"  # letters to Unicode, apostrophes to readers
_APOSTROPHES = "'’‘‛´＇" + _OKINA + _APOSTROPHE

_LETTER_2 = rf"[^\W_{_OKINA}{_APOSTROPHE}]"
_INSIDE = _MARKS + _UNSEEN + _EMOJI_STYLE + _TAGS
_INVISIBLE_SPACE = (
    f"{_ZERO_WIDTH_SPACE}(?<![{UNSPACED_SYLLABLES}]{_ZERO_WIDTH_SPACE})(?![{UNSPACED_SYLLABLES}])"
)
# Python rules a branch out quickly by its first character, where that stands apart.
_PATTERN_2 = (
    # a word or number, with accents, inner apostrophes and invisible characters
    f"{_LETTER_2}{{1,64}}(?:(?=[{_INSIDE}{_ZERO_WIDTH_SPACE}{_APOSTROPHES}])(?:"
    f"[{_INSIDE}][{_INSIDE}]{{0,7}}{_LETTER_2}{{0,64}}"
    f"|{_INVISIBLE_SPACE}{_LETTER_2}{{0,64}}"
    f"|[{_APOSTROPHES}][{_INVISIBLE}]{{0,4}}{_LETTER_2}{{1,64}}"
    # the rest of a word with an invisible character behind every letter
    f"){{1,8}}(?:"
    f"[{_UNSEEN}{_JOINERS}{_EMOJI_STYLE}{_TAGS}]{_LETTER_2}{{0,16}}"
    f"|{_INVISIBLE_SPACE}{_LETTER_2}{{0,16}}"
    f"){{0,48}})?"
    # ASCII is told apart early, because most punctuation is ASCII
    "|[!-~]"
    # a flag
    f"|{_FLAG}"
    # an emoji with skin tone, variant or region, joined to others
    f"|[{_SYMBOL}](?:[{_EMOJI_STYLE}\u20e3{_SKIN}{_TAGS}]|\u200d[{_SYMBOL}]){{0,16}}"
    # anything else that is not space and can be seen, one character at a time
    rf"|[^\w\s{_INVISIBLE}]|[{_OKINA}{_APOSTROPHE}]"
)

_SOME_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_DROPPED = re.compile(
    f"[{_UNSEEN}]"
    f"|(?<![{_SYMBOL}]){_EMOJI_STYLE}"
    f"|(?<![{_SYMBOL}{_TAGS}])[{_TAGS}]+"
    f"|(?<![{UNSPACED_SYLLABLES}]){_ZERO_WIDTH_SPACE}(?![{UNSPACED_SYLLABLES}])"
)
# After those above: what stands before a joiner decides whether it joins.
_IDLE_JOINERS = re.compile(
    f"(?<![{_JOINED_SCRIPTS}{_SYMBOL}{_EMOJI_STYLE}{_TAGS}{_JOINERS}])[{_JOINERS}]+"
)
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_DOTTED_I = re.compile("ı\u0307*|i\u0307+")


def _drop_invisible(word: str) -> str:
    if word.isascii() or not _SOME_INVISIBLE.search(word):
        return word
    return _IDLE_JOINERS.sub("", _DROPPED.sub("", word))


def _fold_2(word: str) -> str:
    """Fold case, and both Turkish i to one.

    In capitals "ısı" is "ISI" and "iş" is "İŞ". Only if ı and i are equal too do small letters and
    capitals agree. English capitals rule out reading I as ı.
    """
    if word.isascii():
        return word.lower()
    # First, because NFKC cuts ´ into a space and an accent; again, because NFKC makes ʼn of ŉ.
    composed = unicodedata.normalize("NFKC", word.translate(_TO_APOSTROPHE))
    folded = _DOTTED_I.sub("i", composed.casefold())
    return unicodedata.normalize("NFKC", folded).translate(_TO_APOSTROPHE)


NORMALIZATIONS = {
    normalization.number: normalization
    for normalization in (
        Normalization(1, "lower case", _PATTERN_1, _ASCII_PATTERN, _keep_all, _fold_1),
        Normalization(
            2,
            "case folded, ı and İ as i, invisible characters not read",
            # Escaped, because editors and terminals show no invisible characters.
            _PATTERN_2.encode("ascii", "backslashreplace").decode(),
            _ASCII_PATTERN,
            _drop_invisible,
            _fold_2,
        ),
    )
}
LATEST = 2
"""The number of the normalisation that new vocabularies get."""
