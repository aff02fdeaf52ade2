"""How the tools beside the network read texts: as new versions do, without their vocabulary."""

import re

from models.normalization import LATEST, NORMALIZATIONS
from models.scripts import UNSPACED

NORMALIZATION = NORMALIZATIONS[LATEST]
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(f"[{UNSPACED}]")


def normalize_text(text: str) -> str:
    """Return a whole text in its normal form: case folded, without invisible characters."""
    return NORMALIZATION.normalize(text)


def find_key(text: str) -> str:
    """Return what is equal for texts of the same words, whatever stands between them.

    A text without words stands for itself.
    """
    return " ".join(_WORD.findall(normalize_text(text))) or text


def space_out(text: str) -> str:
    """Return a text with spaces around each character of a script without spaces.

    The tokenizer takes a whole sentence of them as one word. No two texts would share a word.
    """
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)
