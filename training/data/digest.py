"""Hashes of texts: by them, what was made of texts is found again."""

import hashlib
from collections.abc import Iterable


def digest_text(text: str) -> bytes:
    """Return the SHA-256 of a text, also of one that holds half a character."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def digest_texts(texts: Iterable[str], *, start: bytes = b"") -> str:
    """Return the SHA-256 of texts in their order, behind some bytes."""
    digest = hashlib.sha256(start)
    for text in texts:
        digest.update(digest_text(text))
    return digest.hexdigest()
