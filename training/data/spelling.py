"""The spelling of tokens, in pieces that other tokens share."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import CONTINUATION, UNKNOWN

SHORTEST, LONGEST = 2, 5  # characters of a piece
FEWEST = 2  # tokens that must share a piece
START, END = "<", ">"


def number_pieces(
    tokens: Sequence[str],
) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
    """Number the pieces that tokens share.

    Returns:
        The piece numbers of all tokens, one token after the other, shape (pieces,); the number of
        pieces of each token, shape (tokens,); and the number of different pieces.
    """
    spelled = [spell(token) if id > UNKNOWN else [] for id, token in enumerate(tokens)]
    users = Counter(piece for pieces in spelled for piece in pieces)
    shared = sorted(piece for piece, count in users.items() if count >= FEWEST)
    numbers = {piece: number for number, piece in enumerate(shared)}
    rows = [[numbers[piece] for piece in pieces if piece in numbers] for pieces in spelled]
    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.array([number for row in rows for number in row], np.int32), counts, len(numbers)


def spell(token: str) -> list[str]:
    """Return the different pieces of 2 to 5 characters of a token; a mark stands at word starts."""
    inside = is_inside(token)
    letters = token.removeprefix(CONTINUATION) if inside else START + token + END
    return sorted(
        {
            letters[start : start + length]
            for length in range(SHORTEST, LONGEST + 1)
            for start in range(len(letters) - length + 1)
        }
    )


def is_inside(token: str) -> bool:
    """Whether a token is a piece inside a word; the word "##" is none."""
    return token.startswith(CONTINUATION) and token != CONTINUATION
