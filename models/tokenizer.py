"""Text to token ids, the same in training and service.

One regular expression cuts a text into words. A word in the vocabulary is one token. Any other word
is split from left to right into the longest pieces in the vocabulary; pieces inside a word are
written "##piece" (WordPiece: Schuster and Nakajima, "Japanese and Korean Voice Search", ICASSP
2012). No text is truncated, and no text is an error.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, StrictInt, model_validator

from models.errors import VersionCorrupt
from models.json_files import FormatProbe, read_versioned, shorten
from models.limits import LARGEST_TOKENIZER, MOST_TOKENS
from models.normalization import LATEST, NORMALIZATIONS

FORMAT_VERSION = 2
PAD, UNKNOWN = 0, 1
PAD_TOKEN, UNKNOWN_TOKEN = "[PAD]", "[UNK]"
CONTINUATION = "##"
LONGEST_WORD = 256  # normalised characters that are read; the rest is one unknown token
LONGEST_GAP = 8  # unread characters after which the word before is complete

Offsets = list[tuple[int, int]]


class Tokenizer:
    """Turns text into token ids.

    Args:
        tokens: The vocabulary; the id of a token is its place. The first two are padding (id 0) and
            the unknown token (id 1).
        normalization: Number of the normalisation, which also says what a word is.

    Raises:
        ValueError: The vocabulary does not start with the two special tokens, or repeats a token;
            or there is no such normalisation.
    """

    def __init__(self, tokens: Sequence[str], *, normalization: int = LATEST) -> None:
        if list(tokens[:2]) != [PAD_TOKEN, UNKNOWN_TOKEN]:
            raise ValueError(
                f"tokens must start with {PAD_TOKEN}, {UNKNOWN_TOKEN}; received {list(tokens[:2])}"
            )
        if normalization not in NORMALIZATIONS:
            known = ", ".join(map(str, NORMALIZATIONS))
            raise ValueError(f"normalization must be one of {known}; received {normalization}")
        rule = NORMALIZATIONS[normalization]
        self.tokens = tuple(tokens)
        self.normalization = rule.number
        self.pattern = rule.pattern
        self._drop, self._fold = rule.drop, rule.fold
        self._normalize = rule.normalize
        self._expression = rule.expression
        self._find_words = rule.find_words
        self._ids = {token: id for id, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            raise ValueError("tokens must be distinct")
        self._longest = _longest_by_start(self.tokens)
        self._words = _WordCache(self)

    def __len__(self) -> int:
        """Number of ids, and of rows in an embedding."""
        return len(self.tokens)

    def with_tokens(self, tokens: Sequence[str]) -> Self:
        """Return a tokenizer that finds and normalises words as this one, with other tokens."""
        return type(self)(tokens, normalization=self.normalization)

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`; an empty list for a text without words."""
        words = self._words
        return [id for word in self._find_words(text) for id in words[word]]

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in texts]

    def encode_with_offsets(self, text: str) -> tuple[list[int], Offsets]:
        """Return the ids of `text` and, for each, its first and past-the-end character.

        Each piece has the span of the whole word if normalization changes the word's length, apart
        from characters that are not read.
        """
        ids: list[int] = []
        offsets: Offsets = []
        for match in self._expression.finditer(text):
            read = self._drop(match.group())
            word = self._fold(read)
            places = _find_places(read, match)
            exact = len(word) == len(read) and all(len(self._fold(one)) == 1 for one in read)
            for id, first, last in self._pieces(word):
                ids.append(id)
                start, end = (first, last) if exact else (0, len(read))
                offsets.append((places[start], places[end - 1] + 1))
        return ids, offsets

    def split_open(self, text: str) -> tuple[str, str]:
        """Return the part of the text whose tokens are final, and the rest.

        Matches are as long as possible, so more text can extend the last match. It can change the
        match before only if the last one can join both to later text, such as the apostrophe in
        "don'". White space joins nothing. Nor do many characters in a row that are in no match.
        """
        if not text or text[-1].isspace():
            return text, ""
        start = len(text) - len(text.rsplit(None, 1)[-1])
        last = [match.span() for match in self._expression.finditer(text, start)][-2:]
        if not last or len(text) - last[-1][1] > LONGEST_GAP:
            return text, ""
        cut = last[0][0]
        return text[:cut], text[cut:]

    def words(self, text: str) -> list[str]:
        """Return the normalized words of `text`, to learn a vocabulary from."""
        return [self._normalize(word) for word in self._find_words(text)]

    def encode_word(self, word: str) -> tuple[int, ...]:
        """Return the ids of one written word."""
        return tuple(id for id, _, _ in self._pieces(self._normalize(word)))

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
        content = {"format_version": 1, "pattern": self.pattern, "tokens": self.tokens}
        if self.normalization > 1:  # a file of format 1 keeps its bytes, and so its digest
            content |= {"format_version": FORMAT_VERSION, "normalization": self.normalization}
        return json.dumps(content, ensure_ascii=False, indent=0)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a tokenizer that `save` wrote.

        Its pattern has to be that of its normalisation, because any other may take time that grows
        exponentially with a text.

        Raises:
            FormatTooNew: A newer release wrote the file.
            VersionCorrupt: The file is not a tokenizer.
        """
        content = read_versioned(
            _Content,
            newest=FORMAT_VERSION,
            path=path,
            limit=LARGEST_TOKENIZER,
            kind="tokenizer file",
            probe=_Probe,
        )
        try:
            content.check_pattern()
            return cls(content.tokens, normalization=content.normalization)
        except ValueError as error:
            reason = shorten(str(error))
            raise VersionCorrupt(f"{path}: not a tokenizer file ({reason})") from error


class _Probe(FormatProbe):
    """The format version has to be a number, as in all of the file."""

    format_version: StrictInt


class _Content(BaseModel):
    """What a tokenizer's file holds."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format_version: int = Field(ge=1)
    normalization: int = 1
    pattern: str
    tokens: Annotated[list[str], Field(max_length=MOST_TOKENS), FailFast()]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.format_version == 1) != (self.normalization == 1):
            raise ValueError("format 1 has normalization 1, and no other has")
        return self

    def check_pattern(self) -> None:
        """Raise ValueError unless the pattern is that of the normalisation."""
        rule = NORMALIZATIONS.get(self.normalization)
        if rule is not None and self.pattern != rule.pattern:
            raise ValueError(f"pattern is not that of normalization {self.normalization}")


def _find_places(read: str, match: re.Match[str]) -> Sequence[int]:
    """Return the place in the text of each character of a match that is read."""
    if len(read) == len(match.group()):
        return range(*match.span())
    places: list[int] = []
    for character in read:
        start = places[-1] + 1 if places else match.start()
        places.append(match.string.index(character, start))
    return places


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
