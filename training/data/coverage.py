"""How many of the words of texts a vocabulary knows."""

from collections.abc import Iterable

from models.tokenizer import Tokenizer

COVERED = 0.7  # least share to start from a network; English tweets have 0.9, German 0.5


def find_coverage(tokenizer: Tokenizer, texts: Iterable[str]) -> float:
    """Return the share of the words of texts that are a token each; 0 for texts without words."""
    known = set(tokenizer.tokens)
    found = words = 0
    for text in texts:
        for word in tokenizer.words(text):
            words += 1
            found += word in known
    return found / words if words else 0.0
