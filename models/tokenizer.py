"""Text to token ids, the same in training and service.

One regular expression cuts a text into words. A word in the vocabulary is one token. Any other word
is split from left to right into the longest pieces in the vocabulary; pieces inside a word are
written "##piece" (WordPiece: Schuster and Nakajima, "Japanese and Korean Voice Search", ICASSP
2012). No text is truncated, and no text is an error.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from models.errors import FormatTooNew, VersionCorrupt

FORMAT_VERSION = 1
PAD, UNKNOWN = 0, 1
PAD_TOKEN, UNKNOWN_TOKEN = "[PAD]", "[UNK]"
CONTINUATION = "##"
LONGEST_WORD = 256  # normalised characters that are read; the rest is one unknown token

# Blocks of accents, vowel signs and joiners: not \w for Python, but part of a word for readers.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0f71-\u0f87\u1000-\u109f\u17b4-\u17d3"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe20-\ufe2f"
)
_SYMBOL = "[\u2190-\u2bff\U0001f000-\U0001faff]"
_LETTER = r"[^\W_]"
# Every repetition is bounded, and so is a word. A stream never holds back more than one word.
PATTERN = (
    # a word or number, with accents and inner apostrophes: naïve, don't, mp3
    rf"{_LETTER}{{1,64}}(?:[{_MARKS}]{{1,8}}{_LETTER}{{0,64}}|['’]{_LETTER}{{1,64}}){{0,8}}"
    # a flag
    "|[\U0001f1e6-\U0001f1ff]{2}"
    # an emoji with skin tone or variant, joined to others
    rf"|{_SYMBOL}(?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d{_SYMBOL}){{0,16}}"
    # anything else that is not space, one character at a time
    r"|[^\w\s]|_"
)

Offsets = list[tuple[int, int]]


def normalize(word: str) -> str:
    """Return a word in the form for lookups: compatibility-composed, lower case."""
    lower = unicodedata.normalize("NFKC", word).lower()
    return unicodedata.normalize("NFKC", lower).replace("’", "'")


class Tokenizer:
    """Turns text into token ids.

    Args:
        tokens: The vocabulary; the id of a token is its place. The first two are padding (id 0) and
            the unknown token (id 1).
        pattern: Regular expression that finds the words of a text.

    Raises:
        ValueError: The vocabulary does not start with the two special tokens, or repeats a token;
            or the pattern has groups.
    """

    def __init__(self, tokens: Sequence[str], *, pattern: str = PATTERN) -> None:
        if list(tokens[:2]) != [PAD_TOKEN, UNKNOWN_TOKEN]:
            raise ValueError(
                f"tokens must start with {PAD_TOKEN}, {UNKNOWN_TOKEN}; received {tokens[:2]}"
            )
        self.tokens = tuple(tokens)
        self.pattern = pattern
        self._expression = re.compile(pattern)
        if self._expression.groups:  # findall would return them instead of the words
            raise ValueError("pattern must have no groups but (?:…)")
        self._find_words = self._expression.findall
        self._ids = {token: id for id, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            raise ValueError("tokens must be distinct")
        self._longest = _longest_by_start(self.tokens)
        self._words = _WordCache(self)

    def __len__(self) -> int:
        """Number of ids, and of rows in an embedding."""
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`; an empty list for a text without words."""
        words = self._words
        return [id for word in self._find_words(text) for id in words[word]]

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in texts]

    def encode_with_offsets(self, text: str) -> tuple[list[int], Offsets]:
        """Return the ids of `text` and, for each, its first and past-the-end character.

        Each piece has the span of the whole word if normalization changes the word's length.
        """
        ids: list[int] = []
        offsets: Offsets = []
        for match in self._expression.finditer(text):
            raw, word = match.group(), normalize(match.group())
            start, end = match.span()
            exact = len(word) == len(raw) and all(len(normalize(one)) == 1 for one in raw)
            for id, first, last in self._pieces(word):
                ids.append(id)
                offsets.append((start + first, start + last) if exact else (start, end))
        return ids, offsets

    def split_open(self, text: str) -> tuple[str, str]:
        """Return the part of the text whose tokens are final, and the rest.

        Matches are as long as possible, so more text can extend the last match. It can change the
        match before only if the last one can join both to later text, such as the apostrophe in
        "don'". White space joins nothing.
        """
        if not text or text[-1].isspace():
            return text, ""
        start = len(text) - len(text.rsplit(None, 1)[-1])
        cut = [match.start() for match in self._expression.finditer(text, start)][-2:][0]
        return text[:cut], text[cut:]

    def words(self, text: str) -> list[str]:
        """Return the normalized words of `text`, to learn a vocabulary from."""
        return [normalize(word) for word in self._find_words(text)]

    def encode_word(self, word: str) -> tuple[int, ...]:
        """Return the ids of one written word."""
        return tuple(id for id, _, _ in self._pieces(normalize(word)))

    def _pieces(self, word: str) -> list[tuple[int, int, int]]:
        """Return (id, start, end) of each token of a normalized word: itself, or its pieces."""
        if (whole := self._ids.get(word)) is not None and whole > UNKNOWN:
            return [(whole, 0, len(word))]
        pieces: list[tuple[int, int, int]] = []
        start, length = 0, min(len(word), LONGEST_WORD)
        while start < length:
            id, end = self._longest_piece(word, start)
            if id != UNKNOWN or not pieces or pieces[-1][0] != UNKNOWN:
                pieces.append((id, start, end))
            else:  # adjacent unknown characters are one unknown token
                pieces[-1] = (UNKNOWN, pieces[-1][1], end)
            start = end
        if length < len(word):
            pieces.append((UNKNOWN, length, len(word)))
        return pieces

    def _longest_piece(self, word: str, start: int) -> tuple[int, int]:
        """Return the id and end of the longest piece at `start`, or one unknown character."""
        prefix = CONTINUATION if start else ""
        longest = self._longest.get(prefix + word[start], 0)
        for end in range(min(len(word), LONGEST_WORD, start + longest), start, -1):
            if (id := self._ids.get(prefix + word[start:end])) is not None:
                return id, end
        return UNKNOWN, start + 1

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content that decides the ids, in hexadecimal."""
        return hashlib.sha256(self._to_json().encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write the tokenizer to a JSON file."""
        path.write_text(self._to_json(), encoding="utf-8")

    def _to_json(self) -> str:
        content = {
            "format_version": FORMAT_VERSION,
            "pattern": self.pattern,
            "tokens": self.tokens,
        }
        return json.dumps(content, ensure_ascii=False, indent=0)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a tokenizer that `save` wrote.

        Raises:
            FormatTooNew: A newer release wrote the file.
            VersionCorrupt: The file is not a tokenizer.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content["format_version"]
            if found > FORMAT_VERSION:
                raise FormatTooNew.of(path, supported=FORMAT_VERSION, found=found)
            return cls(content["tokens"], pattern=content["pattern"])
        except (OSError, KeyError, TypeError, ValueError, re.error) as error:
            raise VersionCorrupt(f"{path}: not a tokenizer file ({error!r})") from error


def _longest_by_start(tokens: Sequence[str]) -> dict[str, int]:
    """Return the length of the longest piece by its first character, with "##" if it has one.

    Most characters start only short pieces; characters of other scripts start none.
    """
    longest: dict[str, int] = {}
    for token in tokens:
        prefix = CONTINUATION if token.startswith(CONTINUATION) and token != CONTINUATION else ""
        piece = token.removeprefix(prefix)
        start = prefix + piece[:1]
        longest[start] = max(longest.get(start, 0), len(piece))
    return longest


class _WordCache(dict[str, tuple[int, ...]]):
    """Ids of the words so far, by their written form.

    The size is bounded. A full cache is simply emptied, because texts repeat few words often.
    """

    LIMIT = 100_000
    LONGEST = 64

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = self._tokenizer.encode_word(word)
        if len(word) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
            self[word] = ids
        return ids
